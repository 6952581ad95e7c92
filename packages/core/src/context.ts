/** Injected time: tests advance it, nothing reads the process clock behind its back. */
export interface Clock {
  /** Wall clock, UTC milliseconds. Never compared between hosts. */
  now(): number
  /** Milliseconds that only grow, from an arbitrary start; leases are measured with it. */
  monotonic(): number
}

/** Injected identity. */
export interface Ids {
  /** A new id: unique, and greater in byte order than every id this source gave before. `[0-9a-z]`, at most 32 characters. */
  next(): string
}

export type LogFields = Record<string, string | number | boolean | null>

/** Four levels, a constant message and fields; never a secret. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/**
 * Whether the process behind a worker name still lives. `dead` only where that is proven: same host and another boot,
 * or no process of that id and start time. [C-INBOX-12]
 */
export type Liveness = (worker: string) => 'alive' | 'dead' | 'unknown'

/** What every backend is opened with. */
export interface BackendContext {
  clock: Clock
  ids: Ids
  logger: Logger
  liveness: Liveness
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

const base36 = (value: number, width: number): string => value.toString(36).padStart(width, '0')

/** Ids of time, a counter that never goes back within the process, and 64 random bits. */
export const createIds = (clock: Clock): Ids => {
  let last = 0
  return {
    next() {
      last = Math.max(last + 1, clock.now() * 1000)
      const random = crypto.getRandomValues(new Uint32Array(2))
      return `${base36(last, 11)}${base36(random[0] ?? 0, 7)}${base36(random[1] ?? 0, 7)}`
    },
  }
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
