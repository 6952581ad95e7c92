import { StoreError } from '@nexus/core'

/** Ends the opening of a database that has to be changed by a person first; nothing was written. */
export const refuse = (message: string): never => {
  throw new StoreError({ code: 'unsupported', message })
}
