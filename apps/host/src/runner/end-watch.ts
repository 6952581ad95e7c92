import { watchPath } from './file-watch.ts'
import type { RunState } from './observe.ts'
import type { RunExit } from './run-records.ts'

export interface EndWatchOptions {
  /** The folder of all runs; a supervisor touches its run's folder in it when something happened. */
  readonly runsFolder: string
  readonly pollMs: number
  observe(attempt: string): Promise<RunState>
  /** Hears of a run that cannot be observed, once until it can be again. */
  onError(attempt: string, error: unknown): void
}

export type EndListener = (attempt: string, exit: RunExit) => void

export interface EndWatch {
  /** Calls back once, with the end of this attempt. Returns the end of the wait. */
  wait(attempt: string, listener: (exit: RunExit) => void): () => void
  /** Rejects with the signal's reason. */
  endOf(attempt: string, signal: AbortSignal): Promise<RunExit>
  close(): void
}

interface Look {
  again: boolean
}

/** Tells of the ends of runs: one watcher for all of them, open while there is something to wait for. */
export function createEndWatch({ runsFolder, pollMs, observe, onError }: EndWatchOptions): EndWatch {
  const waiting = new Map<string, Set<(exit: RunExit) => void>>()
  const looks = new Map<string, Look>()
  const unobservable = new Set<string>()
  let unwatch: (() => void) | null = null

  function look(attempt: string): void {
    const present = looks.get(attempt)
    if (present) {
      present.again = true
      return
    }
    const fresh: Look = { again: false }
    looks.set(attempt, fresh)
    observe(attempt)
      .then((state) => {
        unobservable.delete(attempt)
        if (state.status === 'ended') announce(attempt, state.exit)
      })
      .catch((error: unknown) => {
        if (!unobservable.has(attempt)) onError(attempt, error)
        unobservable.add(attempt)
      })
      .finally(() => {
        looks.delete(attempt)
        if (fresh.again && waiting.has(attempt)) look(attempt)
      })
  }

  function announce(attempt: string, exit: RunExit): void {
    const listeners = waiting.get(attempt) ?? []
    waiting.delete(attempt)
    rest()
    for (const listener of listeners) listener(exit)
  }

  function rest(): void {
    if (waiting.size > 0) return
    unwatch?.()
    unwatch = null
  }

  function onChange(name: string | null): void {
    if (name === null) for (const attempt of waiting.keys()) look(attempt)
    else if (waiting.has(name)) look(name)
  }

  function wait(attempt: string, listener: (exit: RunExit) => void): () => void {
    const listeners = waiting.get(attempt) ?? new Set()
    waiting.set(attempt, listeners.add(listener))
    unwatch ??= watchPath({ path: runsFolder, pollMs, onChange })
    look(attempt)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && waiting.get(attempt) === listeners) waiting.delete(attempt)
      rest()
    }
  }

  function close(): void {
    waiting.clear()
    rest()
  }

  return { wait, close, endOf: (attempt, signal) => endOf(wait, attempt, signal) }
}

function endOf(wait: EndWatch['wait'], attempt: string, signal: AbortSignal): Promise<RunExit> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      unwait()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    const unwait = wait(attempt, (exit) => {
      signal.removeEventListener('abort', abort)
      resolve(exit)
    })
  })
}
