import { join } from 'node:path'
import { boundedCount, type Count, countCeiling } from '@nexus/core'
import { createInboxLayout, inboxNames } from '../inbox/inbox-layout.ts'
import type { FsTools } from '../tools.ts'

/** A task in `processing` whose holder has not renewed its lease for longer than that lasts. */
export interface OverdueHold {
  id: string
  /** Since when it is overdue. */
  since: Date
}

/** By the clock that stamps files: a sweep watches whether the stamp moves, and this has one look only. */
export const overdueHolds = async ({ layout, reading }: FsTools): Promise<OverdueHold[]> => {
  const inbox = createInboxLayout(layout)
  const overdue: OverdueHold[] = []
  for (const file of await reading.files(inbox.processing)) {
    const held = inboxNames.parseHeld(file)
    const renewed = held && (await reading.stat(inbox.heldFile(held)))
    const since = held && renewed ? renewed.mtimeMs + held.leaseMs : Number.POSITIVE_INFINITY
    if (held && since < Date.now()) overdue.push({ id: held.id, since: new Date(since) })
  }
  return overdue
}

/** The tasks that failed for good. */
export const deadLetters = async ({ layout, reading }: FsTools): Promise<Count> => {
  const failed = createInboxLayout(layout).ended('failed')
  let counted = 0
  for (const month of await reading.folders(failed)) {
    if (counted > countCeiling) break
    counted += (await reading.files(join(failed, month))).filter((file) => inboxNames.parseEnded(file) !== null).length
  }
  return boundedCount(Math.min(counted, countCeiling + 1))
}
