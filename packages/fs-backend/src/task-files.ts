import type { Guard, SaveResult, TaskFileStore } from '@nexus/core'
import { checkName, parseInput, readable, refusal, TaskFileInput } from '@nexus/core'
import type { z } from 'zod'
import { decideDelete } from './found.ts'
import type { NewFacts } from './revisions/operation.ts'
import type { Decision } from './revisions/revisions.ts'
import { createTaskFacts } from './task-facts.ts'
import { createTaskList } from './task-list.ts'
import { createMove } from './task-move.ts'
import { createShelf, type Place, revOf, type Shelf, type StoredTask } from './task-shelf.ts'
import type { FsTools } from './tools.ts'

type Input = z.output<typeof TaskFileInput>

/** Facts that must be written with the new bytes, or undefined where those on disk stay true. */
const nextFacts = (
  present: StoredTask | null,
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

export const createTaskFiles = (tools: FsTools): TaskFileStore => {
  const { layout, revisions, checkOpen } = tools
  const taskFacts = createTaskFacts(tools)
  const shelf = createShelf(tools, taskFacts)
  const move = createMove(tools, shelf, taskFacts)
  return {
    ...createTaskList(tools, { shelf, taskFacts }),
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
