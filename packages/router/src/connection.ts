import type { Backend, BackendName } from '@nexus/core'
import { isStoreError, StoreError } from '@nexus/core'

/** A backend that is opened when it can be, and again whenever it could not. */
export interface Connection extends AsyncDisposable {
  /** The open backend, else one try to open it, shared by all who ask meanwhile. */
  reach(): Promise<Backend>
  /** The open backend where there is one already. */
  current(): Backend | null
  /** Why the last try failed. */
  failure(): unknown
}

/**
 * Opens now. Only `unavailable` is survived: anything else (a newer database, missing rights) is the operator's to mend
 * and ends the start.
 */
export const openConnection = async (name: BackendName, open: () => Promise<Backend>): Promise<Connection> => {
  let backend: Backend | null = null
  let opening: Promise<Backend> | null = null
  let failure: unknown = null
  let isClosed = false

  const attempt = async (): Promise<Backend> => {
    try {
      const opened = await open()
      backend = opened
      if (isClosed) await opened[Symbol.asyncDispose]()
      return opened
    } catch (error) {
      failure = error
      throw error
    } finally {
      opening = null
    }
  }

  const reach = (): Promise<Backend> => {
    if (isClosed) return Promise.reject(new StoreError({ code: 'closed', message: `The ${name} backend is closed.` }))
    if (backend) return Promise.resolve(backend)
    opening ??= attempt()
    return opening
  }

  try {
    await reach()
  } catch (error) {
    if (!isStoreError(error, 'unavailable')) throw error
  }

  return {
    reach,
    current: () => (isClosed ? null : backend),
    failure: () => failure,
    async [Symbol.asyncDispose]() {
      if (isClosed) return
      isClosed = true
      await opening?.catch(() => null)
      await backend?.[Symbol.asyncDispose]()
    },
  }
}
