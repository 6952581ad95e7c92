import { type Backend, createIds, readConfig, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter } from '@nexus/router'

/** The stores as a program with these variables routes them, for whoever brings tasks and looks at what became of them. */
export const openStores = (variables: Readonly<Record<string, string>>): Promise<Backend> => {
  const context = {
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown' as const,
  }
  return openRouter({
    config: readConfig(variables),
    registry: {
      filesystem: ({ dir }) => openFsBackend({ root: dir, ...context }),
      postgres: ({ dsn }) => openPgBackend({ dsn: dsn ?? '', ...context }),
    },
    context,
  })
}
