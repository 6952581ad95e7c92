import { type Moved, type Records, StoreError, type StoreName, storeNames } from '@nexus/core'
import type { Connection } from './connection.ts'

/** Which connection a store is routed to. */
type ConnectionOf = (store: StoreName) => Pick<Connection, 'reach'>

/** Whole records of each store where it is routed to. They are asked for in an outage as well: nothing stands in for them. */
export const routedRecords = (connectionOf: ConnectionOf): Records => {
  const at = async (store: StoreName): Promise<Records> => {
    const { name, records } = await connectionOf(store).reach()
    if (records) return records
    throw new StoreError({ code: 'unsupported', message: `The ${name} backend gives no whole records of ${store}.` })
  }

  /** Each backend with those of the stores that are routed to it. */
  const sides = async (stores: readonly StoreName[]): Promise<Map<Records, StoreName[]>> => {
    const found = new Map<Records, StoreName[]>()
    for (const store of stores) {
      const records = await at(store)
      found.set(records, [...(found.get(records) ?? []), store])
    }
    return found
  }

  return {
    read: async (store, ...request) => (await at(store)).read(store, ...request),
    find: async (store, ...request) => (await at(store)).find(store, ...request),
    write: async (store, ...request) => (await at(store)).write(store, ...request),
    remove: async (store, ...request) => (await at(store)).remove(store, ...request),
    async moved(options) {
      const all: Moved[] = []
      for (const [records, stores] of await sides(options?.stores ?? storeNames))
        all.push(...(await records.moved({ ...options, stores })))
      return all
    },
    async markMoved(moved, options) {
      const inTheWay: Moved[] = []
      for (const [records, stores] of await sides(moved.map(({ store }) => store)))
        inTheWay.push(
          ...(await records.markMoved(
            moved.filter(({ store }) => stores.includes(store)),
            options,
          )),
        )
      return inTheWay
    },
    async identity(options) {
      const all: string[] = []
      for (const records of (await sides(storeNames)).keys()) all.push(await records.identity(options))
      return all.join('+')
    },
    async unmarkMoved(given, options) {
      for (const [records, stores] of await sides(given)) await records.unmarkMoved(stores, options)
    },
  }
}
