import type { Backend, Config, Health, StoreName } from '@nexus/core'
import { storeNames } from '@nexus/core'

/** One row of the storage map. */
export interface StorageRow {
  store: StoreName
  backend: string
  /** The variable that decided, or `default`. */
  decidedBy: string
  health: Health
}

/** Where each store lives, why, and how it is. */
export const storageMap = (config: Config, backend: Pick<Backend, 'health'>): Promise<StorageRow[]> =>
  Promise.all(
    storeNames.map(async (store) => ({ store, ...config.routes[store], health: await backend.health(store) })),
  )
