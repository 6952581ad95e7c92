import { eachItem } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { exit } from '../cli/exit.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { confirmed } from '../cli/prompt.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import type { BulkOptions } from './bulk.ts'

/** What `inbox purge --json` prints. */
export const InboxPurged = envelope({
  dry_run: z.boolean(),
  older_than: z.iso.datetime(),
  tasks: z.int().describe('removed, or what would be in a dry run'),
})

export type PurgeOptions = Json & BulkOptions & { olderThan: Date; status?: 'done' | 'failed' }

const purgeable = async ({ stores }: Place, { olderThan, status }: PurgeOptions): Promise<number> => {
  let count = 0
  for (const each of status ? [status] : (['done', 'failed'] as const))
    for await (const { processedAt } of eachItem((page) => stores.inbox.list({ ...page, status: each })))
      if (processedAt !== null && processedAt < olderThan) count += 1
  return count
}

const purge = async (place: Place, options: PurgeOptions): Promise<number | null> => {
  const { olderThan, status, dryRun = false, yes = false } = options
  const counted = dryRun || !yes ? await purgeable(place, options) : null
  if (dryRun) return counted
  const question = `inbox purge: remove ${counted} ${status ?? 'done or failed'} tasks of before ${olderThan.toISOString()}?`
  if (counted !== 0 && !(await confirmed(question, options))) return null
  const given = { older_than: olderThan.toISOString(), ...(status && { status }) }
  const { purged } = await audited(
    place.root,
    { command: 'inbox purge', arguments: given, what: [] },
    () => place.stores.inbox.purge({ olderThan, status }),
    (answer) => ({ status: 'done', ...answer }),
  )
  return purged
}

/** `inbox purge`: removes what has been over for long, and frees its idempotency keys. */
export const purgeTasks = async (options: PurgeOptions): Promise<void> => {
  const { dryRun = false, olderThan } = options
  const tasks = await withStores((place) => purge(place, options))
  if (tasks === null) {
    process.exitCode = exit.failed
    return
  }
  const shown = { version: 1 as const, dry_run: dryRun, older_than: olderThan.toISOString(), tasks }
  print(options, InboxPurged, shown, () => [`${tasks} tasks ${dryRun ? 'would be' : 'were'} removed.`])
}
