import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '@nexus/core'

type BreakerState = { isOpen: false } | { isOpen: true; reason: string; since: number }

export interface BreakerOptions {
  clock: Clock
  /** Asks the backend on a fresh connection: null where it serves, else why it does not. At most a second. */
  ask(): Promise<string | null>
  /** Everything that has to be done before the backend is used again; false where it cannot be done yet. Never throws. */
  recover(outage: { since: number }): Promise<boolean>
  onOpen(outage: { reason: string; since: number }): void
  /** Between two looks at a backend that is down, in milliseconds. */
  probeMs: number
}

/**
 * Open: the backend is not to be called. It is the backend's health that decides, never a failed call alone; while it is
 * open the health is asked again and again, and what has to be done first is done before it closes. [C-ROUTE-14]
 */
export interface Breaker extends AsyncDisposable {
  state(): BreakerState
  /** Asks now, once for all who ask at the same time. True: it is open. */
  judge(): Promise<boolean>
  open(reason: string): void
  /** Waits while what has to be done first is being done, at most so many milliseconds. */
  recovered(withinMs: number): Promise<void>
}

export const createBreaker = ({ clock, ask, recover, onOpen, probeMs }: BreakerOptions): Breaker => {
  let state: BreakerState = { isOpen: false }
  let judging: Promise<boolean> | null = null
  let probing: Promise<void> | null = null
  let recovering: Promise<boolean> | null = null
  let timer: NodeJS.Timeout | null = null
  let isClosed = false

  const probe = async (): Promise<void> => {
    if (!state.isOpen) return
    const { since } = state
    if ((await ask()) !== null) return
    recovering = recover({ since })
    if (await recovering) state = { isOpen: false }
    recovering = null
  }

  const schedule = (): void => {
    if (isClosed || !state.isOpen || timer) return
    timer = setTimeout(() => {
      probing = probe().finally(() => {
        timer = null
        schedule()
      })
    }, probeMs)
    timer.unref()
  }

  const open = (reason: string): void => {
    if (state.isOpen || isClosed) return
    state = { isOpen: true, reason, since: clock.now() }
    onOpen(state)
    schedule()
  }

  const judgeNow = async (): Promise<boolean> => {
    const reason = await ask()
    if (reason !== null) open(reason)
    return state.isOpen
  }

  return {
    state: () => state,
    open,
    async recovered(withinMs) {
      if (!recovering) return
      const enough = new AbortController()
      const late = delay(withinMs, undefined, { signal: enough.signal, ref: false }).catch(() => undefined)
      await Promise.race([recovering, late])
      enough.abort()
    },
    judge() {
      if (state.isOpen) return Promise.resolve(true)
      judging ??= judgeNow().finally(() => {
        judging = null
      })
      return judging
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      if (timer) clearTimeout(timer)
      await probing
    },
  }
}
