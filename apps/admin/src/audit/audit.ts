import { hostname, userInfo } from 'node:os'
import { createIds, type JsonObject, systemClock } from '@nexus/core'
import { z } from 'zod'
import { openTrail, type Trail } from './trail.ts'

/** A change as it is written down before it is made. */
const Intent = z.object({
  kind: z.literal('intent'),
  id: z.string(),
  at: z.iso.datetime(),
  user: z.string(),
  machine: z.string(),
  command: z.string(),
  arguments: z.record(z.string(), z.json()),
  what: z.array(z.string()),
})

/** What became of it. An intent without one was interrupted: the change may have been made, in part or in whole. */
const Outcome = z.object({
  kind: z.literal('outcome'),
  id: z.string(),
  at: z.iso.datetime(),
  result: z.record(z.string(), z.json()),
})

const Line = z.discriminatedUnion('kind', [Intent, Outcome])
type Line = z.output<typeof Line>

/** A change of the past, latest first in `audit ls`. */
export const AuditEntry = Intent.omit({ kind: true }).extend({
  ended_at: z.iso.datetime().nullable(),
  result: z.record(z.string(), z.json()).nullable().describe('null: it was interrupted, and may have been made'),
})
export type AuditEntry = z.output<typeof AuditEntry>

export interface Change {
  /** As it is typed: `inbox requeue`. */
  command: string
  /** What it was told, without contents and without secrets. */
  arguments: JsonObject
  /** The records that it is about, by their names. */
  what: readonly string[]
}

/** In a container there may be no name for the number. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}

const append = (trail: Trail, at: Date, line: Line): Promise<void> => trail.append(at, JSON.stringify(line))

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/**
 * Makes a change that is written down before and after: a crash between the two leaves the intent. Where that cannot be
 * written, nothing is changed.
 */
export const audited = async <T>(
  root: string,
  { command, arguments: given, what }: Change,
  change: () => Promise<T>,
  resultOf: (answer: T) => JsonObject,
): Promise<T> => {
  const trail = openTrail(root)
  const id = createIds(systemClock).next()
  const begun = new Date(systemClock.now())
  await append(trail, begun, {
    kind: 'intent',
    id,
    at: begun.toISOString(),
    user: userName(),
    machine: hostname(),
    command,
    arguments: given,
    what: [...what],
  })
  const end = (result: JsonObject): Promise<void> => {
    const at = new Date(systemClock.now())
    return append(trail, at, { kind: 'outcome', id, at: at.toISOString(), result })
  }
  let answer: T
  try {
    answer = await change()
  } catch (error) {
    // Where this line cannot be written either, what went wrong first is what the person needs to know.
    await end({ status: 'failed', reason: textOf(error) }).catch(() => undefined)
    throw error
  }
  await end(resultOf(answer))
  return answer
}

const readLine = (text: string): Line | null => {
  try {
    return Line.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** The latest changes, each with what became of it, and how many lines on the way could not be read. */
export const readTrail = async (
  root: string,
  { limit, wanted }: { limit: number; wanted: (entry: AuditEntry) => boolean },
): Promise<{ entries: AuditEntry[]; unreadable: number }> => {
  const ends = new Map<string, Line & { kind: 'outcome' }>()
  const entries: AuditEntry[] = []
  let unreadable = 0
  for await (const text of openTrail(root).lines()) {
    const line = readLine(text)
    if (!line) unreadable += 1
    if (line?.kind === 'outcome') ends.set(line.id, line)
    if (line?.kind !== 'intent') continue
    const end = ends.get(line.id)
    ends.delete(line.id)
    const { kind: _, ...intent } = line
    const entry = { ...intent, ended_at: end?.at ?? null, result: end?.result ?? null }
    if (wanted(entry)) entries.push(entry)
    if (entries.length >= limit) break
  }
  return { entries, unreadable }
}
