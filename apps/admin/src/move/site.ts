import { resolve } from 'node:path'
import {
  type Backend,
  type BackendName,
  backendNames,
  type Config,
  ConfigError,
  readConfig,
  type StoreName,
  storeNames,
} from '@nexus/core'
import { usageError } from '../cli/exit.ts'
import { composeBackend } from '../compose.ts'
import { type Ends, endOf } from './ends.ts'
import { type MoveFolder, openMoveFolder } from './folder.ts'
import type { Direction } from './migration.ts'
import type { HostStores } from './quiet-hosts.ts'

/** What the options of a move say. */
export interface DirectionOptions {
  from: string
  to: string
  /** Names with commas between, or `all`. */
  store: string
}

export const backendOf = (option: string, text: string): BackendName => {
  const found = backendNames.find((name) => name === text)
  if (found) return found
  throw usageError(`${option} ${text}: unknown backend. Use ${backendNames.join(' or ')}.`)
}

export const storesOf = (text: string): StoreName[] => {
  if (text === 'all') return [...storeNames]
  const named = text.split(',').map((name) => name.trim())
  const unknown = named.find((name) => !storeNames.some((store) => store === name))
  if (unknown !== undefined)
    throw usageError(`--store ${unknown}: unknown store. Use all, or of ${storeNames.join(', ')}.`)
  return storeNames.filter((store) => named.includes(store))
}

const directionOf = (options: DirectionOptions): Direction => {
  const [from, to] = [backendOf('--from', options.from), backendOf('--to', options.to)]
  if (from === to) throw usageError(`--from and --to both say ${from}: name two backends.`)
  return { from, to, stores: storesOf(options.store) }
}

/** Everything that a command of a move works on. */
export interface Site {
  config: Config
  /** Absolute. */
  root: string
  direction: Direction
  backends: Readonly<Record<BackendName, Backend>>
  ends: Ends
  folder: MoveFolder
}

/** The other way round. */
export const turnedRound = (site: Site): Site => {
  const { from, to, stores } = site.direction
  const { source, target } = site.ends
  return { ...site, direction: { from: to, to: from, stores }, ends: { source: target, target: source } }
}

/** Where hosts read what they are asked, and hold their tasks: a store that moves is at home at the source, others where they are routed. */
export const hostStoresOf = ({ config, direction, backends }: Site): HostStores => {
  const at = (store: StoreName): Backend =>
    backends[direction.stores.includes(store) ? direction.from : config.routes[store].backend]
  return { hostState: at('hostState').hostState, inbox: at('inbox').inbox }
}

/** The same after the move. */
export const movedHostStoresOf = (site: Site): HostStores => hostStoresOf(turnedRound(site))

/** Opens both backends for the whole of a command. */
export const withSite = async <T>(options: DirectionOptions, work: (site: Site) => Promise<T>): Promise<T> => {
  const direction = directionOf(options)
  const config = readConfig(process.env)
  if (config.dsn === null)
    throw new ConfigError(
      'NEXUS_STORAGE_DSN',
      'NEXUS_STORAGE_DSN is not set: a move needs both backends. Set it to postgresql://user:password@host:5432/database.',
    )
  const root = resolve(config.dir)
  const opened = Object.fromEntries(
    await Promise.all(backendNames.map(async (name) => [name, await composeBackend(name, config)] as const)),
  ) as Record<BackendName, Backend>
  try {
    const ends = { source: endOf(opened[direction.from]), target: endOf(opened[direction.to]) }
    return await work({ config, root, direction, backends: opened, ends, folder: openMoveFolder(root) })
  } finally {
    await Promise.all(Object.values(opened).map((backend) => backend[Symbol.asyncDispose]()))
  }
}
