import type { Resolution } from '@nexus/core'
import { eachItem, readConfig, systemClock } from '@nexus/core'
import { replayJournal } from '@nexus/router'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { exit } from '../cli/exit.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { findJournal, stderrLogger } from '../compose.ts'
import { type BulkOptions, BulkResult, bulkText, type Chosen, changeSeveral, type Item } from './bulk.ts'
import { operationsOf } from './conflicts.ts'

/** What `journal replay --json` prints. */
export const Replayed = envelope({
  replayed: z.int(),
  conflicts: z.int().describe('what could not be applied: see journal conflicts'),
})

/** `journal replay`: applies now what a host would apply by itself. */
export const replay = async (options: Json): Promise<void> => {
  const files = await findJournal(readConfig(process.env))
  const applied = await withStores(async (place) => {
    const operations = operationsOf(place)
    if (!files) return { replayed: 0, conflicts: 0 }
    return audited(
      place.root,
      { command: 'journal replay', arguments: {}, what: [files.place] },
      () => replayJournal({ files, operations, logger: stderrLogger, clock: systemClock }),
      (done) => ({ status: 'done', ...done }),
    )
  })
  print(options, Replayed, { version: 1, ...applied }, () => [
    applied.replayed === 0
      ? 'Nothing is to be applied.'
      : `${applied.replayed} operations applied, ${applied.conflicts} conflicts.${applied.conflicts > 0 ? ' See: nexus-admin journal conflicts' : ''}`,
  ])
}

export type ResolveOptions = Json & BulkOptions & { take: Resolution; store?: string; key?: string }

async function* chosenFrom(place: Place, { store, key }: ResolveOptions): AsyncGenerator<Chosen> {
  const operations = operationsOf(place)
  for await (const conflict of eachItem((page) => operations.conflicts(page))) {
    if ((store !== undefined && conflict.store !== store) || (key !== undefined && conflict.key !== key)) continue
    const { id, member, reason } = conflict
    yield {
      id,
      label: `${id}  ${conflict.store} ${conflict.key}${member === null ? '' : ` member ${member}`}  ${reason}`,
    }
  }
}

/** `journal resolve`: takes one of the two values; the conflict is over either way. */
export const resolveConflicts = async (ids: readonly string[], options: ResolveOptions): Promise<void> => {
  const { take, store, key } = options
  const isFiltered = store !== undefined || key !== undefined
  const line = ({ id, status }: Item): string =>
    status === 'absent' ? `There is no conflict ${id}. See: nexus-admin journal conflicts` : `${id}: ${take} it is.`
  const result = await withStores((place) => {
    const operations = operationsOf(place)
    return changeSeveral({
      root: place.root,
      command: 'journal resolve',
      noun: 'conflicts',
      given: { take, ...(store !== undefined && { store }), ...(key !== undefined && { key }) },
      ids,
      choose: isFiltered ? () => chosenFrom(place, options) : null,
      change: async (id) => {
        const { status } = await operations.resolve(id, take)
        return { id, status, ok: status === 'resolved' }
      },
      options,
    })
  })
  if (result === null || result.items.some(({ ok }) => !ok)) process.exitCode = exit.failed
  if (result) print(options, BulkResult, result, () => bulkText(result, { noun: 'conflicts', line }))
}
