import type { CallOptions, Guard, MoveResult, SaveResult, TaskFile, TaskFileFilter, TaskFileStore } from '@nexus/core'
import {
  checkName,
  contentRev,
  pageLimit,
  parseInput,
  type Reading,
  readable,
  readCursor,
  refusal,
  siblingName,
  TaskFileInput,
} from '@nexus/core'
import { z } from 'zod'
import { madeOf, modifiedOf, type StoredDocument, textOf } from './documents.ts'
import { decideDelete } from './found.ts'
import { isVisibleName, recordName, sha256, type TaskState, taskStates } from './layout.ts'
import { collectPage, inSlices, newestFirst } from './paging.ts'
import type { Facts, NewFacts } from './revisions/operation.ts'
import type { Decision } from './revisions/revisions.ts'
import { createTaskFacts, type TaskFacts } from './task-facts.ts'
import type { FsTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.string()])

type Input = z.output<typeof TaskFileInput>

interface Place {
  project: string
  state: TaskState
  filename: string
}

interface Stored extends Place {
  document: Pick<StoredDocument, 'path' | 'bytes' | 'stat' | 'rev'>
  facts: Facts | null
  issueNumber: string | null
  createdAt: Date
  found: Reading<TaskFile>
}

const canBe = ({ project, filename }: Pick<Place, 'project' | 'filename'>): boolean =>
  isVisibleName(project) && isVisibleName(filename) && recordName.task(filename) !== null

type Text = { ok: true; content: string } | { ok: false; reason: string }

/** What could not be saved again is no text. [C-ALL-6] */
const readText = (bytes: Uint8Array): Text => {
  const content = textOf(bytes)
  if (content === null) return { ok: false, reason: 'is not UTF-8' }
  return content.includes('\0') ? { ok: false, reason: 'holds U+0000' } : { ok: true, content }
}

const revOf = ({ project, state, filename }: Place, issueNumber: string | null, bytes: Uint8Array): string =>
  contentRev(project, filename, issueNumber, sha256(bytes), state)

/** The one way from folder and name to what lies there. */
const createShelf = (tools: FsTools, taskFacts: TaskFacts) => {
  const { layout, reading, quarantine } = tools
  const read = async (place: Place): Promise<Stored | null> => {
    if (!canBe(place)) return null
    const { project, state, filename } = place
    const path = layout.task(project, state, filename)
    const file = await reading.read(path)
    if (!file) return null
    const facts = await taskFacts.read(project, state, filename)
    // Published between the two looks: bytes and facts of one moment belong together.
    if ((await reading.stat(path))?.ino !== file.stat.ino) return read(place)
    const issueNumber = facts?.issueNumber ?? null
    const createdAt = facts ? new Date(facts.createdAt) : madeOf(file.stat)
    const rev = revOf(place, issueNumber, file.bytes)
    const text = readText(file.bytes)
    const updatedAt = modifiedOf(file.stat)
    const found: Reading<TaskFile> = text.ok
      ? { ok: true, item: { ...place, content: text.content, issueNumber, createdAt, updatedAt, rev } }
      : { ok: false, corrupt: { name: filename, place: path, reason: text.reason, rev } }
    return { ...place, document: { path, rev, ...file }, facts, issueNumber, createdAt, found }
  }

  return {
    read,
    /** Active before closed. */
    async load(project: string, filename: string): Promise<Stored | null> {
      return (
        (await read({ project, state: 'active', filename })) ?? (await read({ project, state: 'closed', filename }))
      )
    },
    async keepCorrupt(stored: Stored | null): Promise<void> {
      if (stored && !stored.found.ok)
        await quarantine.keep(stored.document.path, stored.document.bytes, stored.found.corrupt.reason)
    },
  }
}

type Shelf = ReturnType<typeof createShelf>

/** Facts that must be written with the new bytes, or undefined where those on disk stay true. */
const nextFacts = (
  present: Stored | null,
  issueNumber: string | null,
  place: Place,
  now: number,
): NewFacts | undefined => {
  if (present?.facts && present.issueNumber === issueNumber) return undefined
  const { filename, state } = place
  return { filename, state, from: null, issueNumber, createdAt: present?.createdAt.getTime() ?? now }
}

const decideSave = async (
  { layout, clock }: FsTools,
  shelf: Shelf,
  input: Input,
  { ifRev }: Guard,
): Promise<Decision<SaveResult>> => {
  const { project, filename } = input
  const present = await shelf.load(project, filename)
  if (!present) {
    checkName('project', project)
    checkName('taskFilename', filename)
  }
  const issueNumber = input.issueNumber === undefined ? (present?.issueNumber ?? null) : input.issueNumber
  if (issueNumber !== null && issueNumber !== present?.issueNumber) checkName('issueNumber', issueNumber)
  const refused = refusal(present?.found ?? null, ifRev)
  if (refused) return { answer: refused }
  await shelf.keepCorrupt(present)
  const place: Place = { project, state: present?.state ?? 'active', filename }
  const bytes = Buffer.from(input.content)
  const now = clock.now()
  const facts = nextFacts(present, issueNumber, place, now)
  return {
    answer: { status: 'saved', rev: revOf(place, issueNumber, bytes) },
    change: {
      kind: 'put',
      path: layout.task(project, place.state, filename),
      bytes,
      modified: new Date(now),
      base: present?.document.stat ?? null,
      facts: facts && { folder: layout.taskFacts(project, filename), facts },
    },
  }
}

type Move = { status: 'moved'; inode: number } | { status: 'already' | 'absent' }

const createMove = ({ layout, reading, revisions }: FsTools, shelf: Shelf, taskFacts: TaskFacts) => {
  /** A name that only the folder it came from has was passed over as well. */
  const nameOf = async (project: string, filename: string, state: TaskState, inode: number): Promise<string> => {
    for (let n = 1; isVisibleName(siblingName(filename, n)); n++) {
      const name = siblingName(filename, n)
      const [here, there] = await Promise.all(
        taskStates.map((folder) => reading.stat(layout.task(project, folder, name))),
      )
      if ((taskStates[0] === state ? here : there)?.ino === inode) return name
      if (!here && !there && n > 1) break
    }
    return filename
  }

  return async (project: string, filename: string, state: TaskState, options?: CallOptions): Promise<MoveResult> => {
    if (!canBe({ project, filename })) return { status: 'absent' }
    const from: TaskState = state === 'closed' ? 'active' : 'closed'
    const decide = async (): Promise<
      Decision<{ status: 'moved'; inode: number } | { status: 'already' | 'absent' }>
    > => {
      const present = await shelf.read({ project, state: from, filename })
      if (!present)
        return { answer: { status: (await shelf.read({ project, state, filename })) ? 'already' : 'absent' } }
      const { path, stat } = present.document
      const folder = layout.tasks(project, state)
      const facts = present.facts && { ...present.facts, state, from }
      return {
        answer: { status: 'moved', inode: stat.ino },
        change: {
          kind: 'move',
          path,
          folder,
          filename,
          base: stat,
          project,
          facts: facts ? { folder: layout.taskFacts(project, filename), facts } : undefined,
        },
      }
    }
    const result = await revisions.commit<Move>(`tasks/${project}/${filename}`, decide, options)
    await taskFacts.prune(project, filename)
    if ('inode' in result) return { status: 'moved', filename: await nameOf(project, filename, state, result.inode) }
    return result.status === 'already' ? { status: 'already', filename } : { status: 'absent' }
  }
}

const createList = ({ layout, reading }: FsTools, shelf: Shelf) => {
  const filesOf = async (project: string, state: TaskState): Promise<Place[]> => {
    const files = await reading.files(layout.tasks(project, state))
    return files.flatMap((file) => recordName.task(file) ?? []).map((filename) => ({ project, state, filename }))
  }

  /** A file between two folders has a name in both; it is listed once. */
  const once = (places: readonly Place[]) => {
    const twins = new Set<string>()
    const [active, closed] = taskStates.map(
      (state) => new Set(places.filter((p) => p.state === state).map((p) => p.filename)),
    )
    for (const name of active ?? []) if (closed?.has(name)) twins.add(name)
    return twins
  }

  return async function* (filter: TaskFileFilter, signal: AbortSignal | undefined) {
    const projects = filter.project === undefined ? await reading.folders(layout.projects) : [filter.project]
    for (const project of projects.filter(isVisibleName)) {
      const places = (await Promise.all(taskStates.map((state) => filesOf(project, state)))).flat()
      const twins = once(places)
      for await (const stored of inSlices(places, shelf.read)) {
        signal?.throwIfAborted()
        const twin = stored.state === 'closed' && twins.has(stored.filename)
        if (twin && (await shelf.read({ ...stored, state: 'active' }))?.document.stat.ino === stored.document.stat.ino)
          continue
        yield stored
      }
    }
  }
}

const matches = ({ state, issueNumber }: TaskFileFilter, stored: Stored): boolean =>
  (state === undefined || stored.state === state) && (issueNumber === undefined || stored.issueNumber === issueNumber)

export const createTaskFiles = (tools: FsTools): TaskFileStore => {
  const { layout, revisions, checkOpen } = tools
  const taskFacts = createTaskFacts(tools)
  const shelf = createShelf(tools, taskFacts)
  const move = createMove(tools, shelf, taskFacts)
  const all = createList(tools, shelf)
  return {
    async save(file, options = {}) {
      checkOpen(options)
      const input = parseInput(TaskFileInput, file, 'task file')
      const record = `tasks/${input.project}/${input.filename}`
      const result = await revisions.commit(record, () => decideSave(tools, shelf, input, options), options)
      if (result.status === 'saved') await taskFacts.prune(input.project, input.filename)
      return result
    },
    async load(project, filename, options) {
      checkOpen(options)
      const stored = await revisions.settled(`tasks/${project}/${filename}`, () => shelf.load(project, filename))
      await shelf.keepCorrupt(stored)
      return readable(stored?.found ?? null)
    },
    async list(filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      const after = readCursor(filter, Cursor)
      const rows = async function* () {
        for await (const stored of all(filter, options?.signal)) {
          const { project, state, filename, createdAt, found } = stored
          const key: [number, string] = [createdAt.getTime(), `${project}/${state}/${filename}`]
          if (matches(filter, stored)) yield { key, found }
        }
      }
      return collectPage(filter, { after, compare: newestFirst, rows: rows() })
    },
    async close(project, filename, options) {
      checkOpen(options)
      return move(project, filename, 'closed', options)
    },
    async reopen(project, filename, options) {
      checkOpen(options)
      return move(project, filename, 'active', options)
    },
    async delete(project, filename, options) {
      checkOpen(options)
      const decide = async () => {
        const present = await shelf.load(project, filename)
        const facts = present?.facts && { ...present.facts, state: null, from: present.state }
        const placed = facts ? { folder: layout.taskFacts(project, filename), facts } : undefined
        const before = () => shelf.keepCorrupt(present)
        return decideDelete(present?.document ?? null, options?.ifRev, before, placed)
      }
      return revisions.commit(`tasks/${project}/${filename}`, decide, options)
    },
  }
}
