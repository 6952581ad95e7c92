import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FreshDatabase, freshDatabase, startCluster } from '@nexus/testkit/postgres'

/** Databases of a PostgreSQL server that waits for its disk with each commit, which the server of the tests does not. */
export interface BenchServer extends AsyncDisposable {
  database(): Promise<FreshDatabase>
}

export const startServer = async (): Promise<BenchServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-server-'))
  const cluster = await startCluster({ dataDir: join(folder, 'data') })
  return {
    database: () => freshDatabase(cluster.dsn),
    async [Symbol.asyncDispose]() {
      await cluster[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
