import type { Clock, Logger } from '@nexus/core'
import { roleOf } from '@nexus/engine'

export interface FuseOptions {
  /** Failures in a row after which no agent of a role is started. */
  failures: number
  /** Until one is tried again, in milliseconds. */
  coolDownMs: number
  clock: Pick<Clock, 'now' | 'monotonic'>
  logger: Logger
  /** Hears of every blow, and null of the end of one. */
  onChange(role: string, blow: Blow | null): void
}

export interface Blow {
  failures: number
  error: string
  /** When one agent is tried again. */
  until: Date
}

/**
 * Keeps an agent that fails again and again (a key that expired, a service that is down) from failing every task there is.
 * Known to this host alone; a restart begins with none blown.
 */
export interface Fuse {
  /** How long this role's agents wait, in milliseconds; null where one may be started, which may be the trial. */
  waitMs(role: string): number | null
  worked(role: string): void
  failed(role: string, error: string): void
  blown(): ReadonlyMap<string, Blow>
}

interface Row {
  failures: number
  error: string
  /** Monotonic; before it nobody is started. */
  untilMs: number
}

export const createFuse = ({ failures: limit, coolDownMs, clock, logger, onChange }: FuseOptions): Fuse => {
  const rows = new Map<string, Row>()

  const blowOf = ({ failures, error, untilMs }: Row): Blow => ({
    failures,
    error,
    until: new Date(clock.now() + Math.max(0, untilMs - clock.monotonic())),
  })

  return {
    waitMs(given) {
      const row = rows.get(roleOf(given))
      if (!row || row.failures < limit) return null
      const leftMs = row.untilMs - clock.monotonic()
      if (leftMs > 0) return leftMs
      // This one is the trial: who comes next waits for its end.
      row.untilMs = clock.monotonic() + coolDownMs
      return null
    },
    worked(given) {
      const role = roleOf(given)
      const row = rows.get(role)
      rows.delete(role)
      if (!row || row.failures < limit) return
      logger.info('an agent works again; it is started as usual', { agent: role })
      onChange(role, null)
    },
    failed(given, error) {
      const role = roleOf(given)
      const failures = (rows.get(role)?.failures ?? 0) + 1
      const row = { failures, error, untilMs: clock.monotonic() + coolDownMs }
      rows.set(role, row)
      if (failures < limit) return
      const blow = blowOf(row)
      if (failures === limit)
        logger.error('an agent fails again and again and is not started for now; its tasks wait', {
          agent: role,
          failures,
          until: blow.until.toISOString(),
          error,
        })
      onChange(role, blow)
    },
    blown: () =>
      new Map([...rows].filter(([, row]) => row.failures >= limit).map(([role, row]) => [role, blowOf(row)])),
  }
}
