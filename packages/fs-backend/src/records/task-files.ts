import { join } from 'node:path'
import { parseJson, type Reading, type TaskFileRecord, unfit } from '@nexus/core'
import { z } from 'zod'
import { encodeJson } from '../documents.ts'
import { isVisibleName, recordName, type TaskState, taskStates } from '../layout.ts'
import { inSlices } from '../paging.ts'
import type { NewFacts } from '../revisions/operation.ts'
import { createTaskFacts } from '../task-facts.ts'
import { canBe, createShelf, type Place, type StoredTask } from '../task-shelf.ts'
import type { FsTools } from '../tools.ts'
import { isSameRecord } from './fields.ts'
import type { Names } from './names.ts'
import { fromFolder, readShelves, type Spot } from './page.ts'
import { createRemoveAll, type Removal } from './removing.ts'
import type { RecordsOf } from './store-records.ts'
import { createWriteAll, type Writing } from './writing.ts'

const Key = z.tuple([z.string(), z.string(), z.enum(taskStates)])

const revisionOf = ({ project, filename }: Place): string => `tasks/${project}/${filename}`

/** Null for what can be no file here. */
const placeOf = (key: string): Place | null => {
  const parsed = parseJson(key)
  const parts = Key.safeParse(parsed.ok ? parsed.value : null)
  if (!parts.success) return null
  const [project, filename, state] = parts.data
  return { project, filename, state }
}

const recordOf = ({ found }: StoredTask): Reading<TaskFileRecord> => {
  if (!found.ok) return found
  const { rev: _, ...record } = found.item
  return { ok: true, item: record }
}

const isTaskState = (state: string): state is TaskState => taskStates.some((known) => known === state)

const checkedPlace = (record: TaskFileRecord): Place => {
  const { project, filename, state } = record
  if (!isTaskState(state)) throw unfit('taskFiles', record, 'files have a folder for active and for closed ones only')
  const place = { project, state, filename }
  if (!canBe(place))
    throw unfit('taskFiles', record, 'its project and filename cannot be those of a file that ends in .md')
  return place
}

interface TaskWriting extends Writing {
  facts: { folder: string; facts: NewFacts }
}

const createShelves = (
  { layout, reading }: FsTools,
  names: Names,
  read: (place: Place) => Promise<StoredTask | null>,
) => {
  /** A file between two folders has a name in both; it is listed once. */
  const readSpot = async ([project = '', state, filename = '']: Spot): Promise<Reading<TaskFileRecord> | null> => {
    const place: Place = { project, state: state === 'closed' ? 'closed' : 'active', filename }
    const stored = await read(place)
    if (!stored) return null
    const twin = place.state === 'closed' ? await reading.stat(layout.task(project, 'active', filename)) : null
    return twin?.ino === stored.document.stat.ino ? null : recordOf(stored)
  }

  return {
    async *spots(after: Spot) {
      for await (const project of fromFolder(after[0], (name) => names.folders(layout.projects, name))) {
        if (!isVisibleName(project)) continue
        const inside = project === after[0] ? after.slice(1) : []
        for (const state of taskStates) {
          if (inside[0] === 'closed' && state === 'active') continue
          const from = inside[0] === state ? (inside[1] ?? '') : ''
          for await (const file of names.files(layout.tasks(project, state), from))
            if (recordName.task(file) !== null) yield [project, state, file]
        }
      }
    },
    async readAll(spots: readonly Spot[]) {
      const found: Reading<TaskFileRecord>[] = []
      for await (const one of inSlices(spots, readSpot)) found.push(one)
      return found
    },
  }
}

const createFactsWriting = ({ atomic, reading }: FsTools) => {
  /** Above what was known under that name, and below what the first of its revisions will say. */
  const nextNumber = async (folder: string): Promise<number> =>
    Math.max(0, ...(await reading.files(folder)).map((file) => Number.parseFloat(file) || 0)) + 0.001

  /** Before the file is there: alone they say nothing. */
  const writeFacts = async (writings: readonly TaskWriting[]): Promise<void> => {
    const files = []
    const numbers = new Map<string, number>()
    for (const { facts, modified } of writings) {
      const number = numbers.get(facts.folder) ?? (await nextNumber(facts.folder))
      numbers.set(facts.folder, number + 0.001)
      const path = join(facts.folder, `${number.toFixed(3)}.json`)
      files.push({ path, bytes: encodeJson({ ...facts.facts, token: '' }), modified })
    }
    await atomic.bulk.create(files)
  }
  return writeFacts
}

export const createTaskFileRecords = (tools: FsTools, names: Names): RecordsOf<'taskFiles'> => {
  const { layout } = tools
  const taskFacts = createTaskFacts(tools)
  const shelf = createShelf(tools, taskFacts)
  const shelves = createShelves(tools, names, shelf.read)
  const writeAll = createWriteAll(tools)
  const writeFacts = createFactsWriting(tools)
  const removeAll = createRemoveAll(tools)

  const writingOf = (record: TaskFileRecord): TaskWriting => {
    const place = checkedPlace(record)
    const { project, filename, state } = place
    const { issueNumber, createdAt, updatedAt, content } = record
    const facts = { filename, state, from: null, issueNumber, createdAt: createdAt.getTime() }
    return {
      record: revisionOf(place),
      path: layout.task(project, state, filename),
      bytes: Buffer.from(content),
      modified: updatedAt,
      facts: { folder: layout.taskFacts(project, filename), facts },
      async look() {
        const stored = await shelf.read(place)
        if (!stored) return null
        const found = recordOf(stored)
        const isSame = found.ok && isSameRecord(found.item, record)
        return { stat: stored.document.stat, isSame, keep: () => shelf.keepCorrupt(stored) }
      },
    }
  }

  const removalOf = (place: Place): Removal => ({
    record: revisionOf(place),
    async look() {
      const stored = await shelf.read(place)
      if (!stored) return null
      const facts = stored.facts && { ...stored.facts, state: null, from: place.state }
      const placed = facts ? { folder: layout.taskFacts(place.project, place.filename), facts } : undefined
      return { ...stored.document, keep: () => shelf.keepCorrupt(stored), facts: placed }
    },
  })

  return {
    read: (page, options) => readShelves(shelves, page, options?.signal),
    async find(keys) {
      const found: TaskFileRecord[] = []
      const places = keys.flatMap((key) => placeOf(key) ?? [])
      for await (const stored of inSlices(places, shelf.read)) {
        const one = recordOf(stored)
        if (one.ok) found.push(one.item)
      }
      return found
    },
    write: (records) => writeAll(records.map(writingOf), writeFacts),
    remove: (keys) => removeAll(keys.flatMap((key) => placeOf(key) ?? []).map(removalOf)),
  }
}
