import {
  type Backend,
  type CallOptions,
  checkOpen,
  isStoreError,
  type OperationOptions,
  type Operations,
  StoreError,
  type StoreName,
  systemClock,
} from '@nexus/core'
import type { Breaker } from './breaker.ts'
import type { Connection } from './connection.ts'
import type { Journal } from './journal.ts'
import type { JournalView } from './journal-view.ts'

/**
 * What a single-record call may take in all, its first try, and the question to the health after each try, in
 * milliseconds. [C-ROUTE-14]
 */
const settleMs = 2900
const firstReadMs = 1800
const firstWriteMs = 1200
const judgeMs = 1000
/** How long a write waits for a replay to end before it adds to it: else writers faster than it would never let it end. */
const handoverMs = 900
/** Less is no try. */
const leastTryMs = 300

/** Why a backend that can be reached is not used yet. */
export const unapplied = 'the journal holds operations that are to be applied first'

/** The database's clock has nothing to do with it: budgets are this process's own time. */
const { monotonic } = systemClock

export interface OutageParts {
  breaker: Breaker
  reach: Connection['reach']
  current: Connection['current']
  /** Null where nothing falls back. */
  journal: Journal | null
  /** Why what the journal holds can never be applied here, once that is known: its store moved away. */
  refusal(): StoreError | null
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
  direct(backend: Backend, options: OperationOptions): Promise<T>
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

const perhapsApplied = ({ code, message, cause, place, rev, movedTo }: StoreError): StoreError =>
  new StoreError({
    code,
    message,
    cause,
    outcome: 'unknown',
    ...(place && { place }),
    ...(rev && { rev }),
    ...(movedTo !== undefined && { movedTo }),
  })

/** It may be an outage. A store that moved away is none: waiting does not bring it back. [C-ROUTE-16] */
const mayBeOutage = (error: unknown): boolean => isStoreError(error, 'unavailable') && error.movedTo === undefined

export const createOutage = ({ breaker, reach, current, journal, refusal, isClosed }: OutageParts): Outage => {
  const refused = (store: StoreName, why: string): StoreError =>
    new StoreError({ code: 'unavailable', message: `${store} cannot be used until the database is back: ${why}` })

  /** Whether this root's host state and completions are answered by the journal now. */
  const viewInOutage = async (options?: CallOptions): Promise<{ view: JournalView | null } | null> => {
    checkOpen(isClosed(), 'routed', options)
    const gone = refusal()
    if (gone) throw gone
    const view = (await journal?.view()) ?? null
    if (view) breaker.open(unapplied)
    return breaker.state().isOpen ? { view } : null
  }

  const noticed = (error: unknown): never => {
    if (mayBeOutage(error)) void breaker.judge()
    throw error
  }

  /** Mostly the backend is open, and each wait for what is there would cost as much as all else here. */
  const only = <T>(store: StoreName, call: (backend: Backend) => Promise<T>): Promise<T> => {
    try {
      checkOpen(isClosed(), 'routed')
      const state = breaker.state()
      if (state.isOpen) throw refused(store, state.reason)
      const backend = current()
      return (backend ? call(backend) : reach().then(call)).catch(noticed)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Tries until it is known whether the backend is down. */
  const tryDirect = async <T>(
    call: (ms: number) => Promise<T>,
    { start, firstMs }: { start: number; firstMs: number },
  ): Promise<{ answer: T } | { sent: boolean }> => {
    const left = (): number => settleMs - judgeMs - (monotonic() - start)
    let sent = false
    for (let tries = 1; ; tries += 1) {
      try {
        return { answer: await call(Math.min(left(), tries === 1 ? firstMs : left())) }
      } catch (error) {
        if (!isStoreError(error)) throw error
        sent ||= error.outcome === 'unknown'
        const isOver = !mayBeOutage(error)
        if (!isOver && (await breaker.judge())) return { sent }
        if (isOver || tries > 1 || left() < leastTryMs) throw sent ? perhapsApplied(error) : error
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
      const start = monotonic()
      const outage = await viewInOutage(options)
      if (outage) return overlay(outage.view)
      const tried = await tryDirect(
        async (timeoutMs) => direct(current() ?? (await reach()), { ...options, timeoutMs }),
        {
          start,
          firstMs: firstReadMs,
        },
      )
      return 'answer' in tried ? tried.answer : overlay((await journal?.view()) ?? null)
    },
    async write({ options, direct, journaled }) {
      if (!journal) throw new Error('a write that applies once needs a journal')
      const start = monotonic()
      if (await viewInOutage(options)) {
        await breaker.recovered(handoverMs)
        if (await viewInOutage(options)) return journaled(journal, false)
      }
      const tried = await tryDirect(
        async (ms) => {
          const { operations } = current() ?? (await reach())
          if (!operations) throw new Error('a write that applies once needs a backend that remembers operations')
          return direct(operations, ms)
        },
        { start, firstMs: firstWriteMs },
      )
      if ('answer' in tried) return tried.answer
      try {
        return await journaled(journal, tried.sent)
      } catch (error) {
        // The journal did not take it, but what was sent before may still come to its effect.
        throw tried.sent && isStoreError(error) ? perhapsApplied(error) : error
      }
    },
  }
}
