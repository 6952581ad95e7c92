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

const condition = (health: Health): string =>
  health.status === 'ok' ? 'ok' : `down since ${new Date(health.since).toISOString()}: ${health.reason}`

/** The storage map as a person reads it: a heading and five lines. */
export const storageMapText = (rows: readonly StorageRow[]): string => {
  const lines = [
    ['store', 'backend', 'decided by', 'health'],
    ...rows.map(({ store, backend, decidedBy, health }) => [store, backend, decidedBy, condition(health)]),
  ]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
