import { resolve } from 'node:path'
import type { Backend, BackendContext, Config } from '@nexus/core'
import { createIds, systemClock } from '@nexus/core'
import { openRouter } from '@nexus/router'

/** Lines about the storage itself go to stderr: stdout is data. */
const stderrLogger: BackendContext['logger'] = {
  debug() {},
  info() {},
  warn: (message, fields) =>
    void process.stderr.write(`warning: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`),
  error: (message, fields) =>
    void process.stderr.write(`error: ${message}${fields ? ` ${JSON.stringify(fields)}` : ''}\n`),
}

/** The stores as the configuration routes them. The only place that names backends. */
export const composeStores = (config: Config): Promise<Backend> =>
  openRouter({
    config,
    // The admin command holds no claims, so whose process lives is never its to judge.
    context: { clock: systemClock, ids: createIds(systemClock), logger: stderrLogger, liveness: () => 'unknown' },
    registry: {
      filesystem: async ({ dir }, context) =>
        (await import('@nexus/fs-backend')).openFsBackend({ root: resolve(dir), ...context }),
      postgres: async ({ dsn, listenDsn }, context) =>
        (await import('@nexus/pg-backend')).openPgBackend({ dsn: dsn ?? '', listenDsn, ...context }),
    },
  })
