import { type InboxRecord, recordKey, type StoreName, type StoreRecords, taskFileKey } from '@nexus/core'
import { plain } from '../cli/line.ts'
import { sourceDifferences } from './compare.ts'
import { contentOf } from './content.ts'
import type { End, Ends } from './ends.ts'
import { closedStores } from './marks.ts'
import type { Migration } from './migration.ts'
import { recordPages } from './pages.ts'
import type { Progress } from './progress.ts'
import { contentMark, leftMark, type Sheets } from './sheet.ts'

/** What writers that had begun before the source was closed have brought there afterwards. */
export interface Strays {
  /** So many records were new, and are in the target now. */
  brought: number
  /** The others, each with the reason why it stays where it is. */
  left: string[]
  /** Stores of which nobody knows any more what they held when they were closed. */
  unknown: StoreName[]
}

export interface StrayTools {
  ends: Ends
  sheets: Sheets
  signal: AbortSignal
  progress: Progress
}

/** So many differences are looked up in one reading of a sheet, and so many records are written at a time. */
const mostLooks = 50_000
const mostWrites = 1000

interface Candidate {
  key: string
  /** As a sheet has it. */
  content: string
  isMissing: boolean
}

/** What the source has otherwise than the target: mostly work that was done at the target since. */
async function* candidatesOf<S extends StoreName>(
  { ends, signal, progress }: StrayTools,
  store: S,
): AsyncGenerator<readonly Candidate[]> {
  let waiting: Candidate[] = []
  const add = (record: StoreRecords[S], isMissing: boolean): void =>
    void waiting.push({ key: recordKey[store](record), content: contentMark(contentOf(store, record)), isMissing })
  for await (const { read, missing, changed } of sourceDifferences(ends, store, signal)) {
    progress.add(read)
    for (const record of missing) add(record, true)
    for (const { source } of changed) add(source, false)
    if (waiting.length < mostLooks) continue
    yield waiting
    waiting = []
  }
  if (waiting.length > 0) yield waiting
}

const isLive = ({ status }: InboxRecord): boolean => status === 'pending' || status === 'processing'

/** By what a task is known besides its id. */
const namesOf = (task: InboxRecord): string[] => [
  ...(task.idempotencyKey === null ? [] : [JSON.stringify([task.idempotencyKey])]),
  ...(isLive(task) ? [JSON.stringify([task.project, task.workspace, task.filename])] : []),
]

/** Ids of tasks that the target knows by another id: whoever was not answered has given them again, and they are done once. */
const givenAgain = async (target: End, tasks: readonly InboxRecord[], signal: AbortSignal): Promise<string[]> => {
  const names = new Set(tasks.flatMap(namesOf))
  const known = new Set<string>()
  for await (const { items } of recordPages(target.records, 'inbox', signal))
    for (const name of items.flatMap(namesOf)) if (names.has(name)) known.add(name)
  return tasks.filter((task) => namesOf(task).some((name) => known.has(name))).map(({ id }) => id)
}

/** Keys of files that the target has in the other state: the writer was about to close or reopen them. */
const inOtherState = async ({ ends, signal }: StrayTools, keys: readonly string[]): Promise<string[]> => {
  const files = await ends.source.records.find('taskFiles', keys, { signal })
  const others = new Map(
    files.map((file) => [taskFileKey({ ...file, state: file.state === 'active' ? 'closed' : 'active' }), file]),
  )
  const there = await ends.target.records.find('taskFiles', [...others.keys()], { signal })
  return there.flatMap((file) => {
    const stray = others.get(taskFileKey(file))
    return stray ? [taskFileKey(stray)] : []
  })
}

/** Those of new keys that the target has under another one. */
const takenKeys = async (tools: StrayTools, store: StoreName, keys: readonly string[]): Promise<string[]> => {
  const { ends, signal } = tools
  if (store === 'taskFiles') return inOtherState(tools, keys)
  if (store === 'inbox')
    return givenAgain(ends.target, await ends.source.records.find('inbox', keys, { signal }), signal)
  return []
}

/** Brings these to the target but for those that it has under another key, which it answers. */
const bringOver = async <S extends StoreName>(
  tools: StrayTools,
  store: S,
  keys: readonly string[],
): Promise<{ brought: number; taken: string[] }> => {
  const { ends, sheets, signal } = tools
  const found: { brought: number; taken: string[] } = { brought: 0, taken: [] }
  for (let at = 0; at < keys.length; at += mostWrites) {
    const some = keys.slice(at, at + mostWrites)
    const taken = await takenKeys(tools, store, some)
    const free = some.filter((key) => !taken.includes(key))
    const records = await ends.source.records.find(store, free, { signal })
    if (records.length > 0) await ends.target.records.write(store, records, { signal })
    // Remembered after that: killed in between a record is at the target, and only if it is deleted there it is brought again.
    const brought = records.map((record) => [recordKey[store](record), contentMark(contentOf(store, record))] as const)
    await sheets.append(store, new Map(brought))
    found.brought += records.length
    found.taken.push(...taken)
  }
  return found
}

const bringStore = async (tools: StrayTools, store: StoreName): Promise<Strays> => {
  const { ends, sheets } = tools
  const found: Strays = { brought: 0, left: [], unknown: [] }
  for await (const candidates of candidatesOf(tools, store)) {
    const keys = candidates.map(({ key }) => key)
    const held = await sheets.find(store, keys)
    if (!held) return { ...found, unknown: [store] }
    const strays = candidates.filter(({ key, content }) => held.get(key) !== content)
    const fresh = strays.filter(({ key }) => !held.has(key))
    const missing = fresh.filter(({ isMissing }) => isMissing).map(({ key }) => key)
    const { brought, taken } = await bringOver(tools, store, missing)
    const left = [...taken, ...fresh.filter(({ isMissing }) => !isMissing).map(({ key }) => key)]
    // Left once is left for good: when the target has done and deleted its own, this one must not come in its place.
    await sheets.append(store, new Map(left.map((key) => [key, leftMark])))
    found.brought += brought
    const late = [...left, ...strays.filter(({ key }) => held.get(key) === leftMark).map(({ key }) => key)]
    for (const key of late)
      found.left.push(
        plain(`${store} ${key}: came late, and ${ends.target.name} had it already, otherwise or under another name`),
      )
    for (const { key } of strays.filter((stray) => held.has(stray.key) && held.get(stray.key) !== leftMark))
      found.left.push(plain(`${store} ${key}: changed in ${ends.source.name} after that was closed`))
  }
  return found
}

/**
 * Moves on what has come to a closed source: records that were not there when it was closed and are not at the target. What else is not
 * as it was then is told, since nobody can say whose word counts. Stores that are open again are left alone.
 */
export const bringStrays = async (tools: StrayTools, migration: Migration): Promise<Strays> => {
  const all: Strays = { brought: 0, left: [], unknown: [] }
  for (const store of await closedStores(tools.ends.source, migration, tools.signal)) {
    tools.progress.begin(`looking for late records of ${store}`, null)
    const { brought, left, unknown } = await bringStore(tools, store)
    tools.progress.end()
    all.brought += brought
    all.left.push(...left)
    all.unknown.push(...unknown)
  }
  if (all.brought > 0)
    tools.progress.say(`${all.brought} records came late to ${tools.ends.source.name}, and are moved too.`)
  return all
}

/** The first of those that stay, as lines. */
export const leftText = ({ left }: Strays): string =>
  [...left.slice(0, 20), ...(left.length > 20 ? [`and ${left.length - 20} more`] : [])].join('\n')
