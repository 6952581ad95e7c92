import { resolve } from 'node:path'
import { type BackendName, type Config, ConfigError, readConfig, type StoreName, storeNames } from '@nexus/core'
import { type Inspection, inspectHostConfig, stateKeys } from '@nexus/host/look'
import { journalState } from '@nexus/router'
import { findJournal, surveyFiles, surveyTables } from '../../compose.ts'

export interface SourceOptions {
  env: Readonly<Record<string, string | undefined>>
  /** The host's configuration file; the usual one where nobody named any. */
  hostFile: string | undefined
  /** Read every record, however many there are. */
  deep: boolean
}

/** Without `deep`, so many records of each store are read. */
const mostRecords = 500

const once = <T>(work: () => T): (() => T) => {
  let kept: { value: T } | null = null
  return () => {
    kept ??= { value: work() }
    return kept.value
  }
}

const readEnvironment = (env: SourceOptions['env']): { config: Config } | { problem: ConfigError } => {
  try {
    return { config: readConfig(env) }
  } catch (error) {
    if (error instanceof ConfigError) return { problem: error }
    throw error
  }
}

/** What checks look at: each is looked at when the first check asks for it, and once. */
export const createSources = ({ env, hostFile, deep }: SourceOptions) => {
  const environment = once(() => readEnvironment(env))
  const most = deep ? null : mostRecords
  const states = [stateKeys.launchedAgents, stateKeys.agentFuses]
  const config = (): Config | null => {
    const read = environment()
    return 'config' in read ? read.config : null
  }
  const withConfig = <T>(work: (config: Config) => Promise<T>) =>
    once(async () => {
      const known = config()
      return known && (await work(known))
    })

  const root = withConfig((known) => surveyFiles(known, most, states))
  const database = withConfig((known) => surveyTables(known, most, states))
  return {
    env,
    environment,
    config,
    root,
    database,
    /** A second way to the database, for LISTEN; null where there is none. */
    listen: withConfig(async ({ listenDsn, ...rest }) =>
      listenDsn === null ? null : surveyTables({ ...rest, listenDsn, dsn: listenDsn }, 0, []),
    ),
    isHostFileNamed: hostFile !== undefined,
    hostConfig: once((): Inspection => inspectHostConfig(resolve(hostFile ?? 'nexus.yaml'))),
    journal: withConfig(async (known) => {
      const files = await findJournal(known)
      return files && (await journalState(files))
    }),
    /** What is below the root, where that can be looked at. */
    async contents() {
      const found = (await root())?.contents
      return found === null || typeof found !== 'object' ? null : found
    },
    /** The server, where it can be reached. */
    async server() {
      const found = await database()
      return found?.status === 'reached' ? found.server : null
    },
    routedTo: (name: BackendName): StoreName[] => {
      const routes = config()?.routes
      return routes ? storeNames.filter((store) => routes[store].backend === name) : []
    },
  }
}

export type Sources = ReturnType<typeof createSources>
