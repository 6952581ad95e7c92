import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Backend, BackendContext, Config, JournalFiles } from '@nexus/core'
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

/** The admin command holds no claims, so whose process lives is never its to judge. */
const createContext = (): BackendContext => ({
  clock: systemClock,
  ids: createIds(systemClock),
  logger: stderrLogger,
  liveness: () => 'unknown',
})

/** The stores as the configuration routes them, without a journal: who only looks neither writes to it nor applies it. */
export const composeStores = (config: Config): Promise<Backend> =>
  openRouter({
    config,
    context: createContext(),
    registry: {
      filesystem: async ({ dir }, context) =>
        (await import('@nexus/fs-backend')).openFsBackend({ root: resolve(dir), ...context }),
      postgres: async ({ dsn, listenDsn }, context) =>
        (await import('@nexus/pg-backend')).openPgBackend({ dsn: dsn ?? '', listenDsn, ...context }),
    },
  })

/** The journal of the root, which is not made by looking. */
export const findJournal = async ({ dir }: Config): Promise<JournalFiles | null> => {
  const root = resolve(dir)
  if (!existsSync(root)) return null
  return (await import('@nexus/fs-backend')).openJournalFiles({ root, ...createContext() })
}
