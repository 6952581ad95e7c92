import { isStoreError, type Records, type StoreName, type StoreRecords } from '@nexus/core'

/** A record that the target cannot keep, and why. */
export interface Refused {
  store: StoreName
  reason: string
}

/** More are counted, not named. */
const mostNamed = 1000

/** The same records, of which those that cannot be kept are put aside with the reason; all others are written. */
export const putAside = (records: Records, onRefused: (refused: Refused) => void): Records => {
  const write = async <S extends StoreName>(
    store: S,
    batch: readonly StoreRecords[S][],
    options?: Parameters<Records['write']>[2],
  ): Promise<void> => {
    try {
      await records.write(store, batch, options)
    } catch (error) {
      if (!isStoreError(error, 'invalid')) throw error
      if (batch.length === 1) return onRefused({ store, reason: error.message })
      const half = Math.ceil(batch.length / 2)
      await write(store, batch.slice(0, half), options)
      await write(store, batch.slice(half), options)
    }
  }
  return { ...records, write }
}

/** Gathers what was refused. */
export const createRefusals = () => {
  const named: Refused[] = []
  let count = 0
  return {
    add(refused: Refused): void {
      count += 1
      if (named.length < mostNamed) named.push(refused)
    },
    get count() {
      return count
    },
    get named(): readonly Refused[] {
      return named
    },
  }
}
