import { maxRecoveries } from '@nexus/core'
import type { EndingName, HeldName } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { unlessCorrupt } from './record.ts'

/** Takes a task from a holder that is gone. Null where that has ended its hold itself, or its record is unreadable. */
export const createTakeBack =
  ({ records, endings, clock, logger }: InboxTools) =>
  (held: HeldName): Promise<EndingName | null> =>
    unlessCorrupt(
      async () => {
        const record = await records.load({ id: held.id, version: held.epoch - 1 })
        if (!record) {
          logger.error('A held task has lost its record', { id: held.id })
          return null
        }
        const kind = record.recoveries >= maxRecoveries ? 'loop' : 'swept'
        return endings.endHold(held, { kind, at: clock.now() })
      },
      ({ message }) => logger.error('A held task has an unreadable record', { id: held.id, reason: message }),
    )
