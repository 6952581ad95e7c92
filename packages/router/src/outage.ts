import {
  type Backend,
  type CallOptions,
  checkOpen,
  isStoreError,
  type Operations,
  StoreError,
  type StoreName,
  systemClock,
} from '@nexus/core'
import type { Breaker } from './breaker.ts'
import type { Journal } from './journal.ts'
import type { JournalView } from './journal-view.ts'

/** What a single-record call may take in all, and its first try, in milliseconds; then the health is asked. [C-ROUTE-14] */
const settleMs = 3000
const firstReadMs = 1900
const firstWriteMs = 1200
/** How long a write waits for a replay to end before it adds to it: else writers faster than it would never let it end. */
const handoverMs = 1500
/** Less is no try. */
const leastTryMs = 300

/** The database's clock has nothing to do with it: budgets are this process's own time. */
const { monotonic } = systemClock

export interface OutageParts {
  breaker: Breaker
  reach(): Promise<Backend>
  /** Null where nothing falls back. */
  journal: Journal | null
  isClosed(): boolean
}

/** A write that applies once, whichever way it goes. */
interface OnceWrite<T> {
  options: CallOptions | undefined
  direct(operations: Operations, timeoutMs: number): Promise<T>
  /** `sent`: it was sent before, and may have been applied. */
  journaled(journal: Journal, sent: boolean): Promise<T>
}

interface Read<T> {
  options: CallOptions | undefined
  /** The options end it in time. */
  direct(backend: Backend, options: CallOptions): Promise<T>
  /** From what the outage wrote and what was known when it began. */
  overlay(view: JournalView | null): T
}

/** How calls go while the backend serves, and while it does not. */
export interface Outage {
  /** Calls of stores that have nowhere else to go. */
  only<T>(store: StoreName, call: (backend: Backend) => Promise<T>): Promise<T>
  /** Calls that two places together cannot promise. */
  guarded<T>(store: StoreName, call: (backend: Backend) => Promise<T>): Promise<T>
  read<T>(read: Read<T>): Promise<T>
  write<T>(write: OnceWrite<T>): Promise<T>
}

const outcomeOf = (error: unknown): 'not-applied' | 'unknown' => (isStoreError(error) ? error.outcome : 'not-applied')

const laterWith = (error: StoreError, outcome: 'not-applied' | 'unknown'): StoreError =>
  new StoreError({ code: error.code, outcome, message: error.message, cause: error.cause })

/** Ends a call in time, as `unavailable`. */
const inTime = async <T>(
  ms: number,
  { signal }: CallOptions,
  call: (options: CallOptions) => Promise<T>,
): Promise<T> => {
  const late = AbortSignal.timeout(Math.ceil(ms))
  try {
    return await call({ signal: signal ? AbortSignal.any([signal, late]) : late })
  } catch (error) {
    if (!late.aborted || error !== late.reason) throw error
    throw new StoreError({ code: 'unavailable', message: `The database did not answer within ${Math.round(ms)} ms.` })
  }
}

export const createOutage = ({ breaker, reach, journal, isClosed }: OutageParts): Outage => {
  const refused = (store: StoreName, why: string): StoreError =>
    new StoreError({ code: 'unavailable', message: `${store} cannot be used until the database is back: ${why}` })

  /** Whether this root's host state and completions are answered by the journal now. */
  const viewInOutage = async (options?: CallOptions): Promise<{ view: JournalView | null } | null> => {
    checkOpen(isClosed(), 'routed', options)
    const view = (await journal?.view()) ?? null
    if (view) breaker.open('the journal holds operations that are to be applied first')
    return breaker.state().isOpen ? { view } : null
  }

  const only = async <T>(store: StoreName, call: (backend: Backend) => Promise<T>): Promise<T> => {
    checkOpen(isClosed(), 'routed')
    const state = breaker.state()
    if (state.isOpen) throw refused(store, state.reason)
    try {
      return await call(await reach())
    } catch (error) {
      if (isStoreError(error, 'unavailable')) void breaker.judge()
      throw error
    }
  }

  /** Tries until it is known whether the backend is down; null: it is. */
  const tryDirect = async <T>(
    call: (left: number) => Promise<T>,
    firstMs: number,
  ): Promise<{ answer: T } | { sent: boolean }> => {
    const start = monotonic()
    let sent = false
    for (let tries = 1; ; tries += 1) {
      const left = settleMs - (monotonic() - start)
      try {
        return { answer: await call(tries === 1 ? firstMs : left) }
      } catch (error) {
        if (!isStoreError(error, 'unavailable')) throw error
        sent ||= outcomeOf(error) === 'unknown'
        if (await breaker.judge()) return { sent }
        const isLast = tries > 1 || settleMs - (monotonic() - start) < leastTryMs
        if (isLast) throw sent ? laterWith(error, 'unknown') : error
      }
    }
  }

  return {
    only,
    async guarded(store, call) {
      if (await viewInOutage())
        throw new StoreError({
          code: 'unavailable',
          message: `${store}: what must be unique or unchanged waits until the database is back.`,
        })
      return only(store, call)
    },
    async read({ options = {}, direct, overlay }) {
      const outage = await viewInOutage(options)
      if (outage) return overlay(outage.view)
      const tried = await tryDirect(
        (left) => inTime(left, options, async (bounded) => direct(await reach(), bounded)),
        firstReadMs,
      )
      return 'answer' in tried ? tried.answer : overlay((await journal?.view()) ?? null)
    },
    async write({ options, direct, journaled }) {
      if (!journal) throw new Error('a write that applies once needs a journal')
      if (await viewInOutage(options)) {
        await breaker.recovered(handoverMs)
        if (await viewInOutage(options)) return journaled(journal, false)
      }
      const tried = await tryDirect(async (left) => {
        const { operations } = await reach()
        if (!operations) throw new Error('a write that applies once needs a backend that remembers operations')
        return direct(operations, left)
      }, firstWriteMs)
      return 'answer' in tried ? tried.answer : journaled(journal, tried.sent)
    },
  }
}
