import { type Backend, readConfig } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter } from '@nexus/router'
import { context } from './context.ts'

/** The stores as the host composes them from its variables. */
export const openStores = (variables: Record<string, string>): Promise<Backend> =>
  openRouter({
    config: readConfig(variables),
    registry: {
      filesystem: ({ dir }) => openFsBackend({ root: dir, ...context }),
      postgres: ({ dsn }) => openPgBackend({ dsn: dsn ?? '', ...context }),
    },
    context,
    journal: ({ dir }) => openJournalFiles({ root: dir, ...context }),
  })
