import type { Backend, BackendContext, BackendName, Health } from '@nexus/core'
import { isStoreError, StoreError } from '@nexus/core'

/** How long a failed opening answers for the next calls before it is tried again, in milliseconds. */
const retryAfterMs = 1000

/** A backend that is opened when it can be, and again whenever it could not. */
export interface Connection extends AsyncDisposable {
  /** The open backend; throws `unavailable` while there is none. */
  reach(): Promise<Backend>
  /** The open backend where there is one already. */
  current(): Backend | null
  /** Why there is none, or ok. */
  condition(): Health
}

/**
 * Opens now. Only `unavailable` is survived: anything else (a newer database, missing rights) is the operator's to mend
 * and ends the start.
 */
export const openConnection = async (
  name: BackendName,
  open: () => Promise<Backend>,
  { clock, logger }: BackendContext,
): Promise<Connection> => {
  let backend: Backend | null = null
  let opening: Promise<Backend> | null = null
  let failure: { error: unknown; at: number; since: number } | null = null
  let closed = false

  const attempt = async (): Promise<Backend> => {
    try {
      const opened = await open()
      if (failure) logger.info('backend reached again', { backend: name })
      failure = null
      backend = opened
      if (closed) await opened[Symbol.asyncDispose]()
      return opened
    } catch (error) {
      if (!failure) logger.warn('backend cannot be reached', { backend: name, reason: reasonOf(error) })
      failure = { error, at: clock.monotonic(), since: failure?.since ?? clock.now() }
      throw error
    } finally {
      opening = null
    }
  }

  const reach = (): Promise<Backend> => {
    if (closed) return Promise.reject(new StoreError({ code: 'closed', message: `The ${name} backend is closed.` }))
    if (backend) return Promise.resolve(backend)
    if (failure && clock.monotonic() - failure.at < retryAfterMs) return Promise.reject(failure.error)
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
    current: () => (closed ? null : backend),
    condition: () =>
      failure ? { status: 'down', reason: reasonOf(failure.error), since: failure.since } : { status: 'ok' },
    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      await opening?.catch(() => null)
      await backend?.[Symbol.asyncDispose]()
    },
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
