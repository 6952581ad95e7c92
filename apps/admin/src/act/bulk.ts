import type { JsonObject } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { usageError } from '../cli/exit.ts'
import { plain } from '../cli/line.ts'
import { envelope, say } from '../cli/output.ts'
import { type Confirm, confirmed } from '../cli/prompt.ts'

const Item = z.object({
  id: z.string(),
  status: z.string().describe('selected in a dry run'),
  ok: z.boolean().describe('false: it stays as it is, or is not there'),
  state: z.string().optional().describe('of a workflow, afterwards'),
  reason: z.string().optional(),
})
export type Item = z.output<typeof Item>

/** What a command that changes several records prints with `--json`. */
export const BulkResult = envelope({
  dry_run: z.boolean(),
  counts: z.record(z.string(), z.int()).describe('by status'),
  items: z.array(Item),
})
export type BulkResult = z.output<typeof BulkResult>

export interface BulkOptions extends Confirm {
  dryRun?: boolean
}

/** A record that a filter chose, and what a person knows it by. */
export interface Chosen {
  id: string
  label: string
}

interface Bulk {
  root: string
  /** As it is typed. */
  command: string
  /** What the records are called: `tasks`. */
  noun: string
  /** For the audit trail. */
  given: JsonObject
  /** The records that were named, which nobody is asked about. */
  ids: readonly string[]
  /** Those that the filter chooses; null where no filter was given. */
  choose: (() => AsyncIterable<Chosen>) | null
  change(id: string): Promise<Item>
  options: BulkOptions
}

/** Written to the audit trail at once, so that after a crash it is known which may have been changed. */
const atOnce = 200
const previewed = 10

const resultOf = (items: readonly Item[], isDry: boolean): BulkResult => {
  const counts: Record<string, number> = {}
  for (const { status } of items) counts[status] = (counts[status] ?? 0) + 1
  return { version: 1, dry_run: isDry, counts, items: [...items] }
}

const chosenBy = async ({ ids, choose, noun }: Bulk): Promise<Chosen[]> => {
  if (ids.length > 0 && choose) throw usageError(`Name ${noun} or a filter, not both.`)
  if (ids.length > 0) return [...new Set(ids)].map((id) => ({ id, label: id }))
  if (!choose) throw usageError(`Say which ${noun}: by their ids, or by a filter. See --help.`)
  const chosen: Chosen[] = []
  for await (const one of choose()) chosen.push(one)
  return chosen
}

const preview = (chosen: readonly Chosen[]): string => {
  const lines = chosen.slice(0, previewed).map(({ label }) => `  ${plain(label)}`)
  if (chosen.length > previewed) lines.push(`  … and ${chosen.length - previewed} more`)
  return lines.join('\n')
}

/** A few at a time, answers in the order of the ids. */
const changeAll = async (ids: readonly string[], change: Bulk['change']): Promise<Item[]> => {
  const items: Item[] = []
  const open = ids.entries()
  const work = async (): Promise<void> => {
    for (const [index, id] of open) items[index] = await change(id)
  }
  await Promise.all(Array.from({ length: 8 }, work))
  return items
}

/**
 * Changes what was named, or what a filter chooses after a look and a yes. Null: a person said no. Each part is in the
 * audit trail before it is changed, and its outcome after it.
 */
export const changeSeveral = async (bulk: Bulk): Promise<BulkResult | null> => {
  const { root, command, noun, given, choose, change, options } = bulk
  const chosen = await chosenBy(bulk)
  if (options.dryRun) {
    const items = chosen.map(({ id }) => ({ id, status: 'selected', ok: true }))
    return resultOf(items, true)
  }
  if (choose && chosen.length > 0) {
    say(preview(chosen))
    if (!(await confirmed(`${command}: ${chosen.length} ${noun}?`, options))) return null
  }
  const done: Item[] = []
  for (let from = 0; from < chosen.length; from += atOnce) {
    const ids = chosen.slice(from, from + atOnce).map(({ id }) => id)
    const items = await audited(
      root,
      { command, arguments: given, what: ids },
      () => changeAll(ids, change),
      (part) => ({ status: 'done', counts: resultOf(part, false).counts }),
    )
    done.push(...items)
  }
  return resultOf(done, false)
}

/** One line for each that was named; of what a filter chose, only those that stay as they are, and a count. */
export const bulkText = (
  { dry_run, counts, items }: BulkResult,
  { noun, line }: { noun: string; line: (item: Item) => string },
): string[] => {
  if (items.length === 0) return [`No ${noun}.`]
  const total = Object.entries(counts).map(([status, count]) => `${count} ${status}`)
  const shown = dry_run
    ? items.map(({ id }) => id)
    : items.filter(({ ok }) => !ok || items.length <= previewed).map(line)
  return [...shown, ...(items.length > 1 || dry_run ? [`${total.join(', ')}.`] : [])]
}
