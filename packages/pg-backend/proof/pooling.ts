import { type Pooler, startPooler } from '@nexus/testkit/postgres/pgbouncer'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { afterAll, beforeAll } from 'vitest'

/** Three connections per database go round among all clients, and none lives for long. */
const settings = { default_pool_size: 3, server_round_robin: 1, server_lifetime: 1 }

/** A pooler before the server of the tests, for one file. */
export const usePooler = (): (() => Pooler) => {
  let pooler: Pooler | undefined
  beforeAll(async () => {
    pooler = await startPooler({ dsn: await testDsn(), settings })
  })
  afterAll(() => pooler?.[Symbol.asyncDispose]())
  return () => {
    if (!pooler) throw new Error('The pooler is there inside of tests only.')
    return pooler
  }
}
