import { contentRev, type Reading, type TaskFile } from '@nexus/core'
import { madeOf, modifiedOf, type StoredDocument, textOf } from './documents.ts'
import { isVisibleName, recordName, sha256, type TaskState } from './layout.ts'
import type { Facts } from './revisions/operation.ts'
import type { TaskFacts } from './task-facts.ts'
import type { FsTools } from './tools.ts'

/** Where a task file lies. */
export interface Place {
  project: string
  state: TaskState
  filename: string
}

/** A task file as it lies there, with what is known of it. */
export interface StoredTask extends Place {
  document: Pick<StoredDocument, 'path' | 'bytes' | 'stat' | 'rev'>
  facts: Facts | null
  issueNumber: string | null
  createdAt: Date
  found: Reading<TaskFile>
}

export const canBe = ({ project, filename }: Pick<Place, 'project' | 'filename'>): boolean =>
  isVisibleName(project) && isVisibleName(filename) && recordName.task(filename) !== null

type Text = { ok: true; content: string } | { ok: false; reason: string }

/** What could not be saved again is no text. [C-ALL-6] */
const readText = (bytes: Uint8Array): Text => {
  const content = textOf(bytes)
  if (content === null) return { ok: false, reason: 'is not UTF-8' }
  return content.includes('\0') ? { ok: false, reason: 'holds U+0000' } : { ok: true, content }
}

export const revOf = ({ project, state, filename }: Place, issueNumber: string | null, bytes: Uint8Array): string =>
  contentRev(project, filename, issueNumber, sha256(bytes), state)

/** The one way from folder and name to what lies there. */
export const createShelf = (tools: FsTools, taskFacts: TaskFacts) => {
  const { layout, reading, quarantine } = tools
  const read = async (place: Place): Promise<StoredTask | null> => {
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
    async load(project: string, filename: string): Promise<StoredTask | null> {
      return (
        (await read({ project, state: 'active', filename })) ?? (await read({ project, state: 'closed', filename }))
      )
    },
    async keepCorrupt(stored: StoredTask | null): Promise<void> {
      if (stored && !stored.found.ok)
        await quarantine.keep(stored.document.path, stored.document.bytes, stored.found.corrupt.reason)
    },
  }
}

export type Shelf = ReturnType<typeof createShelf>
