import type { Backend, Records } from '@nexus/core'
import { StoreError } from '@nexus/core'

/** One side of a move. */
export interface End {
  /** As routes and people name it. */
  name: string
  records: Records
}

export interface Ends {
  source: End
  target: End
}

export const endOf = ({ name, records }: Pick<Backend, 'name' | 'records'>): End => {
  if (records) return { name, records }
  throw new StoreError({ code: 'unsupported', message: `The ${name} backend gives no whole records to move.` })
}

const lookedAt = (end: End): End => ({
  ...end,
  records: {
    ...end.records,
    read: (store, page, options) => end.records.read(store, { ...page, takeIn: false }, options),
  },
})

/** For who only looks: what agents left in the mailbox stays there, for a host to find. */
export const onlyLookedAt = ({ source, target }: Ends): Ends => ({ source: lookedAt(source), target: lookedAt(target) })
