import {
  type CompletionRecord,
  type InboxRecord,
  isJsonObject,
  parseJson,
  patchJsonText,
  type StoreName,
  type StoreRecords,
  systemClock,
  type WorkflowRecord,
} from '@nexus/core'
import { CommandError, usageError } from '../cli/exit.ts'
import { composeBackend, composeOriginals } from '../compose.ts'
import { type End, endOf } from '../move/ends.ts'
import { recordPages } from '../move/pages.ts'
import { copyRoot } from './root-copy.ts'
import { type Renames, renamesOf, type Side, translated } from './root-names.ts'

type Originals = Awaited<ReturnType<typeof composeOriginals>>

/** A root as it is taken over. */
export interface AdoptedRoot extends Side {
  originals: Originals
  /** Tasks whose id another task has, and what they are called instead. */
  renamed: Renames
}

const checkAtHome = async ({ name, records }: End): Promise<void> => {
  const [away] = await records.moved()
  if (away)
    throw usageError(`${name}: its ${away.store} moved to ${away.to}. Take them over from there, or move them back.`)
}

const changedMeanwhile = (root: string, what: string): CommandError =>
  new CommandError(
    'failed',
    `${root}: ${what} went away while it was read. Stop what works there, and repeat the command.`,
  )

type Translate = <S extends StoreName>(store: S, record: StoreRecords[S]) => Promise<StoreRecords[S]>

type Translations = { readonly [S in StoreName]?: (record: StoreRecords[S]) => Promise<StoreRecords[S]> }

const translateBy =
  (translations: Translations): Translate =>
  async (store, record) =>
    (await translations[store]?.(record)) ?? record

interface Handmade {
  id: string
  createdAt: Date
}

/**
 * Tasks that people put there are known by the file itself, which is another one in every copy: they keep the id that
 * their own root gives them. By their ids in the copy.
 */
const handMadeTasks = async (
  root: string,
  records: Side['records'],
  { copy, original }: { copy: Originals; original: Originals },
  signal: AbortSignal,
): Promise<Map<string, Handmade>> => {
  const found = new Map<string, Handmade>()
  for await (const { items } of recordPages(records, 'inbox', signal))
    for (const { id, project, filename, status } of items) {
      if (status !== 'pending' || (await copy.task(project, filename))?.id !== id) continue
      const task = await original.task(project, filename)
      if (!task) throw changedMeanwhile(root, `the task ${project}/${filename}`)
      found.set(id, task)
    }
  return found
}

const asHandMade = (tasks: ReadonlyMap<string, Handmade>) => async (record: InboxRecord) => {
  const task = tasks.get(record.id)
  return task ? { ...record, ...task, runAt: task.createdAt } : record
}

/** Reports of several roots have no order of saving in common. Those that the copy took in are as old as their files. */
const asReported =
  (root: string, original: Originals, openedAt: number) =>
  async (record: CompletionRecord): Promise<CompletionRecord> => {
    const { project, issueNumber, createdAt, savedAt } = record
    if (savedAt.getTime() < openedAt) return { ...record, seq: null }
    const at = await original.reportedAt(project ?? '', issueNumber)
    if (!at) throw changedMeanwhile(root, `the summary of ${project}/${issueNumber}`)
    return { ...record, seq: null, savedAt: at, createdAt: createdAt.getTime() < openedAt ? createdAt : at }
  }

/** A workflow goes on with the task that it began with, whatever that is called now. */
const withTask =
  (root: string, renames: Renames) =>
  async (record: WorkflowRecord): Promise<WorkflowRecord> => {
    const parsed = parseJson(record.data)
    const document = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {}
    const { metadata, failure } = document
    const renamed = (member: unknown) => (typeof member === 'string' ? renames.get(member) : undefined)
    const task = isJsonObject(metadata) ? renamed(metadata['inbox_task_id']) : undefined
    const failed = isJsonObject(failure) ? renamed(failure['task']) : undefined
    if (task === undefined && failed === undefined) return record
    const same = {
      ...(task !== undefined && { metadata: metadata ?? null }),
      ...(failed !== undefined && { failure: failure ?? null }),
    }
    const entries = {
      ...(task !== undefined && isJsonObject(metadata) && { metadata: { ...metadata, inbox_task_id: task } }),
      ...(failed !== undefined && isJsonObject(failure) && { failure: { ...failure, task: failed } }),
    }
    const [unchanged, changed] = [same, entries].map((change) => patchJsonText(record.data, { entries: change }))
    // A number that a double cannot hold would come out as another one.
    if (!changed?.ok || !unchanged?.ok || unchanged.text !== record.data)
      throw new CommandError(
        'failed',
        `${root}: the workflow ${record.id} works for a task whose id another task has, and its document cannot name another without loss. Nothing was changed. Finish or cancel it there, and repeat the command.`,
      )
    return { ...record, data: changed.text }
  }

/** Copies a root and opens the copy, for the time of `work`. `before`: the stores, and the roots that were named earlier. */
const withRoot = async <T>(
  root: string,
  before: readonly Side[],
  signal: AbortSignal,
  work: (side: AdoptedRoot) => Promise<T>,
): Promise<T> => {
  await using copy = await copyRoot(root)
  const openedAt = systemClock.now()
  await using backend = await composeBackend('filesystem', { dir: copy.dir, dsn: null })
  const end = endOf({ name: root, records: backend.records })
  await checkAtHome(end)
  const originals = await composeOriginals(root)
  const files = { copy: await composeOriginals(copy.dir), original: originals }
  const handMade = await handMadeTasks(root, end.records, files, signal)
  const faithful = translated(
    end.records,
    { inbox: new Map([...handMade].map(([id, task]) => [id, task.id])) },
    translateBy({ inbox: asHandMade(handMade), completions: asReported(root, originals, openedAt) }),
  )
  const renames = await renamesOf(faithful, before, signal)
  const records = translated(
    faithful,
    renames,
    translateBy({
      inbox: async (task) => ({ ...task, id: renames.inbox.get(task.id) ?? task.id }),
      completions: async (report) => ({
        ...report,
        dedupKey: renames.completions.get(report.dedupKey) ?? report.dedupKey,
      }),
      ...(renames.inbox.size > 0 && { workflows: withTask(root, renames.inbox) }),
    }),
  )
  return await work({ name: root, records, originals, renamed: renames.inbox })
}

export const withRoots = <T>(
  roots: readonly string[],
  before: readonly Side[],
  signal: AbortSignal,
  work: (sides: AdoptedRoot[]) => Promise<T>,
): Promise<T> => {
  const [first, ...others] = roots
  if (first === undefined) return work([])
  return withRoot(first, before, signal, (side) =>
    withRoots(others, [...before, side], signal, (sides) => work([side, ...sides])),
  )
}
