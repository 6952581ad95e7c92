import type { HostTools } from '../host-tools.ts'
import type { Hold } from './hold.ts'

/**
 * Makes sure that nobody else can have taken the task: a host that stood still for longer than its lease learns it here,
 * before it starts an agent beside another host's. Throws a `HoldEnded` where the claim is lost.
 */
export const confirmHold = async (
  { stores, clock, timing, logger }: Pick<HostTools, 'stores' | 'clock' | 'timing' | 'logger'>,
  hold: Hold,
  maxAgeMs: number = timing.leaseMs / 2,
): Promise<void> => {
  const asked = clock.monotonic()
  if (asked - hold.confirmedAt >= maxAgeMs) {
    const { lost } = await stores.inbox.heartbeat([hold.task.claim])
    if (lost.length > 0) {
      logger.warn('claim lost; nothing is started for it', { task: hold.task.id, project: hold.task.project })
      hold.end('lost')
    } else hold.confirmedAt = asked
  }
  hold.signal.throwIfAborted()
}
