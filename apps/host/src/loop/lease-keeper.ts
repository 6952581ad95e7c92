import type { HostTools } from '../host-tools.ts'
import type { Availability } from './availability.ts'
import { every } from './every.ts'
import { type Holds, runningAttempts } from './hold.ts'

export interface LeaseKeeper {
  /** Hears that the inbox has told which tasks of an earlier host here are ours now. */
  resumed(): void
  end(): void
}

/** Renews the leases of all agents at work below this root, whoever started them. */
const renewAll = async ({ runner, logger }: HostTools): Promise<void> => {
  for (const attempt of await runner.list())
    try {
      if ((await runner.observe(attempt)).status === 'running') await runner.renew([attempt])
    } catch (error) {
      logger.warn('the lease of an agent could not be renewed', { attempt, error: String(error) })
    }
}

/** Renews what this host holds: its claims, and its agents' leases. */
export const keepLeases = (tools: HostTools, holds: Holds, availability: Availability): LeaseKeeper => {
  const { stores, runner, logger, timing, clock, config } = tools
  let answeredAt = clock.monotonic()

  /** Whoever can reach the store may have our tasks by the time that the claims have run out: our agents end before. */
  const stopUnreachable = (): void => {
    if (clock.monotonic() - answeredAt < timing.leaseMs - 2 * timing.heartbeatMs || holds.size === 0) return
    logger.warn('the inbox cannot be reached and claims run out; agents are stopped (on_unreachable: stop)')
    for (const hold of holds.values()) hold.end('lost')
  }

  const heartbeat = async (): Promise<void> => {
    const claims = [...holds.values()].map(({ task }) => task.claim)
    const none = { lost: [], cancelRequested: [] }
    const asked = clock.monotonic()
    const answer = await availability.attempt('heartbeat', async () =>
      claims.length === 0 ? none : stores.inbox.heartbeat(claims),
    )
    const confirmed = answer === null ? [] : claims.filter(({ id }) => !answer.lost.some((lost) => lost.id === id))
    for (const { id, epoch } of confirmed) {
      const hold = holds.get(id)
      if (hold?.task.claim.epoch === epoch) hold.confirmedAt = asked
    }
    if (answer) answeredAt = clock.monotonic()
    else if (config.onUnreachable === 'stop') stopUnreachable()
    for (const { id, epoch } of answer?.lost ?? []) {
      const hold = holds.get(id)
      if (hold?.task.claim.epoch !== epoch) continue
      logger.warn('claim lost; its agent is stopped', { task: id, project: hold.task.project })
      hold.end('lost')
    }
    for (const { id } of answer?.cancelRequested ?? []) {
      const hold = holds.get(id)
      if (!hold || hold.cancelRequested) continue
      hold.cancelRequested = true
      hold.bell.ring()
    }
  }

  let isResumed = false
  /** Whether agents that an earlier host left may be ours: the store that would tell is away, and they outlive that. */
  const mayBeOurs = (): boolean =>
    config.onUnreachable === 'keep' &&
    (!isResumed || [...holds.values()].some((hold) => hold.document === null && availability.isWaiting(hold)))

  const renew = async (): Promise<void> => {
    const attempts = runningAttempts(holds)
    if (attempts.length > 0) await runner.renew(attempts)
    if (mayBeOurs()) await renewAll(tools)
  }

  const failed = (what: string) => (error: unknown) => logger.error(`${what} failed`, { error: String(error) })
  const ends = [
    every(timing.heartbeatMs, heartbeat, failed('heartbeat')),
    every(timing.renewMs, renew, failed("renewal of the agents' leases")),
  ]
  return {
    resumed() {
      isResumed = true
    },
    end() {
      for (const end of ends) end()
    },
  }
}
