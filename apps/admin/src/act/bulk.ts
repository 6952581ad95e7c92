import type { JsonObject } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { exitCodeOf, usageError } from '../cli/exit.ts'
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
  error: z.string().optional().describe('what ended it before all were done; items are those that were'),
  left: z.int().optional().describe('after an error: so many were not changed, or nobody knows'),
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

/** What was done, in the order of the ids, and the error that ended it there. */
interface Part {
  items: Item[]
  error?: unknown
}

/** A few at a time. After an error nothing more is begun, and what is begun comes to its end. */
const changeAll = async (ids: readonly string[], change: Bulk['change']): Promise<Part> => {
  const items: Item[] = []
  const errors: unknown[] = []
  const open = ids.entries()
  const work = async (): Promise<void> => {
    for (const [index, id] of open) {
      if (errors.length > 0) return
      try {
        items[index] = await change(id)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, work))
  const done = items.filter((item) => item !== undefined)
  return errors.length > 0 ? { items: done, error: errors[0] } : { items: done }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What the audit trail keeps of a part: which records were done, where that was not all of them. */
const outcomeOf = (part: Part): JsonObject => {
  const { counts } = resultOf(part.items, false)
  if (!('error' in part)) return { status: 'done', counts }
  return { status: 'failed', counts, done: part.items.map(({ id }) => id), reason: messageOf(part.error) }
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
    const part = await audited(root, { command, arguments: given, what: ids }, () => changeAll(ids, change), outcomeOf)
    done.push(...part.items)
    if (!('error' in part)) continue
    // The caller prints what was done, as after any end; the code says that it is not all.
    process.exitCode = exitCodeOf(part.error)
    const rest = chosen.length - done.length
    say(
      `${plain(messageOf(part.error))}\nIt ended there: ${done.length} of ${chosen.length} ${noun} were looked at or changed, as listed; ${rest} were not, or nobody knows.`,
    )
    return { ...resultOf(done, false), error: messageOf(part.error), left: rest }
  }
  return resultOf(done, false)
}

/** One line for each that was named or done before an error; of what a filter chose else, only those that stay as they are, and a count. */
export const bulkText = (
  { dry_run, counts, items, error }: BulkResult,
  { noun, line }: { noun: string; line: (item: Item) => string },
): string[] => {
  const isBroken = error !== undefined
  if (items.length === 0) return isBroken ? [] : [`No ${noun}.`]
  const total = Object.entries(counts).map(([status, count]) => `${count} ${status}`)
  const shown = dry_run
    ? items.map(({ id }) => id)
    : items.filter(({ ok }) => !ok || isBroken || items.length <= previewed).map(line)
  return [...shown, ...(items.length > 1 || dry_run ? [`${total.join(', ')}.`] : [])]
}
