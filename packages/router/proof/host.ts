import { type Backend, type BackendContext, createIds, readConfig, silentLogger, systemClock } from '@nexus/core'
import { openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter } from '../src/index.ts'

export const context: BackendContext = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
}

export interface HostOptions {
  dsn: string
  root: string
  maxConnections?: number
  /** Stands between the router and the backend: a planted bug. */
  around?: (backend: Backend) => Backend
}

/** The stores as a host has them: all on Postgres, with the journal of its root. */
export const openHost = ({ dsn, root, maxConnections = 10, around = (one) => one }: HostOptions): Promise<Backend> =>
  openRouter({
    config: readConfig({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: dsn, NEXUS_DIR: root }),
    context,
    registry: {
      filesystem: () => Promise.reject(new Error('nothing is routed to files')),
      postgres: async (_, own) => around(await openPgBackend({ dsn, maxConnections, ...own })),
    },
    journal: ({ dir }, own) => openJournalFiles({ root: dir, ...own }),
  })
