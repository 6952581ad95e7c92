import { silentLogger } from '@nexus/core'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { openPgClient, type PgClient, type PgClientOptions } from '../src/client.ts'
import { migrate } from '../src/migrate.ts'

export interface Database extends AsyncDisposable {
  dsn: string
  client: PgClient
}

/** A database of its own for one test, empty. */
export const emptyDatabase = async (options: Partial<PgClientOptions> = {}): Promise<Database> => {
  const database = await freshDatabase(await testDsn())
  const client = openPgClient({ dsn: database.dsn, logger: silentLogger, timeoutMs: 10_000, ...options })
  return {
    dsn: database.dsn,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

export const migratedDatabase = async (): Promise<Database> => {
  const database = await emptyDatabase()
  await migrate({ client: database.client, logger: silentLogger })
  return database
}
