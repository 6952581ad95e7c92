import { resolve } from 'node:path'
import { type Backend, type Config, readConfig } from '@nexus/core'
import { composeStores } from '../compose.ts'

/** What a command works on. */
export interface Place {
  config: Config
  /** The root on disk, absolute. */
  root: string
  /** The stores as the configuration routes them. */
  stores: Backend
}

/** Opens the stores once, for the whole of a command. Throws `ConfigError`, or `unavailable` where one is used that is down. */
export const withStores = async <T>(work: (place: Place) => Promise<T>): Promise<T> => {
  const config = readConfig(process.env)
  await using stores = await composeStores(config)
  return await work({ config, root: resolve(config.dir), stores })
}
