import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { type Cluster, startCluster } from './cluster.ts'

/** A primary and its standby; what the primary acknowledges is on both. */
export interface Pair extends AsyncDisposable {
  primary: Cluster
  standby: Cluster
  /** One statement on one of them. */
  ask(on: Pick<Cluster, 'dsn'>, statement: string): Promise<Record<string, unknown>[]>
}

const ask = async ({ dsn }: Pick<Cluster, 'dsn'>, statement: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: dsn })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

/** Waits for what the server is about to do. */
export const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  // What answers at once must not keep everything else from going on.
  while (!(await isSo())) await setImmediate()
}

/** After the copy: the standby must not wait for a standby of its own once it is the primary. */
const waitForStandby = async ({ primary }: Pick<Pair, 'primary'>): Promise<void> => {
  await ask(primary, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
  await ask(primary, 'SELECT pg_reload_conf()')
  await until(async () => (await ask(primary, `SELECT FROM pg_stat_replication WHERE sync_state = 'sync'`)).length > 0)
}

export const startPair = async (): Promise<Pair> => {
  const primary = await startCluster()
  try {
    await primary.stop()
    const standby = startCluster({ standbyOf: primary }).finally(() => primary.start())
    const pair = { primary, standby: await standby, ask }
    await waitForStandby(pair)
    return {
      ...pair,
      async [Symbol.asyncDispose]() {
        await pair.standby[Symbol.asyncDispose]()
        await primary[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await primary[Symbol.asyncDispose]()
    throw error
  }
}
