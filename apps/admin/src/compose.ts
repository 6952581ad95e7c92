import { resolve } from 'node:path'
import type { Backend, BackendContext, BackendName, Config, JournalFiles } from '@nexus/core'
import { createIds, readConfig, systemClock } from '@nexus/core'
import { openRouter, type Registry } from '@nexus/router'
import { jsonText } from './cli/line.ts'
import { say } from './cli/output.ts'

/** Lines about the storage itself go to stderr: stdout is data. */
export const stderrLogger: BackendContext['logger'] = {
  debug() {},
  info() {},
  warn: (message, fields) => say(`warning: ${message}${fields ? ` ${jsonText(fields)}` : ''}`),
  error: (message, fields) => say(`error: ${message}${fields ? ` ${jsonText(fields)}` : ''}`),
}

/** The admin command holds no claims, so whose process lives is never its to judge. */
const createContext = (): BackendContext => ({
  clock: systemClock,
  ids: createIds(systemClock),
  logger: stderrLogger,
  liveness: () => 'unknown',
})

const registry: Registry = {
  filesystem: async ({ dir }, context) =>
    (await import('@nexus/fs-backend')).openFsBackend({ root: resolve(dir), ...context }),
  postgres: async ({ dsn, listenDsn }, context) =>
    (await import('@nexus/pg-backend')).openPgBackend({ dsn: dsn ?? '', listenDsn, ...context }),
}

/** One backend with all its stores, whatever the routes say. */
export const composeBackend = (name: BackendName, config: Pick<Config, 'dir' | 'dsn'>): Promise<Backend> =>
  registry[name]({ ...readConfig({}), ...config }, createContext())

/** The stores as the configuration routes them, without a journal: who only looks neither writes to it nor applies it. */
export const composeStores = (config: Config): Promise<Backend> =>
  openRouter({ config, context: createContext(), registry })

/** The journal of the root, which is not made by looking. */
export const findJournal = async ({ dir }: Config): Promise<JournalFiles | null> =>
  (await import('@nexus/fs-backend')).findJournalFiles({ root: resolve(dir), ...createContext() })

/** What is below the root, which looking neither makes nor changes. `most` records of each store are read, all where it is null. */
export const surveyFiles = async ({ dir }: Config, most: number | null, states: readonly string[]) =>
  (await import('@nexus/fs-backend')).surveyRoot({ root: resolve(dir), most, states, ...createContext() })

/** What the files of a root tell by themselves, of records that have no program of ours to tell it. */
export const composeOriginals = async (dir: string) =>
  (await import('@nexus/fs-backend')).openOriginals({ root: resolve(dir), ...createContext() })

/** What the database is and holds; null where none is configured. Nothing is made or migrated. */
export const surveyTables = async ({ dsn }: Config, most: number | null, states: readonly string[]) =>
  dsn === null
    ? null
    : (await import('@nexus/pg-backend')).surveyDatabase({ dsn, most, states, logger: createContext().logger })

/** Makes the tables of an earlier program ours. */
export const adoptTables = async ({ dir, dsn, listenDsn }: Config): Promise<'adopted' | 'already' | 'absent'> => {
  const { adoptInbox } = await import('@nexus/pg-backend')
  const { status } = await adoptInbox({ dsn: dsn ?? '', logger: stderrLogger })
  // Where there was no such inbox, opening does all there is to do.
  await (await registry.postgres({ ...readConfig({}), dir, dsn, listenDsn }, createContext()))[Symbol.asyncDispose]()
  return status
}

/** What can be put right below the root without touching what anybody wrote. */
export const rootRepairs = async ({ dir }: Config) => {
  const { closeToOthers, openToOwner, sweepRoot } = await import('@nexus/fs-backend')
  return { closeToOthers, openToOwner, sweep: () => sweepRoot({ root: resolve(dir), ...createContext() }) }
}
