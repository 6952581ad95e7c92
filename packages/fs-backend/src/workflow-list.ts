import type { Count, Workflow, WorkflowFilter, WorkflowStore } from '@nexus/core'
import { boundedCount, pageLimit, readCursor, terminalWorkflowStates } from '@nexus/core'
import { z } from 'zod'
import { createCatalog, type FactReader } from './catalog.ts'
import { documentOf } from './documents.ts'
import { isVisibleName, recordName } from './layout.ts'
import { look } from './look.ts'
import { newestFirst, readPage } from './paging.ts'
import { createSlices } from './slices.ts'
import type { FsTools } from './tools.ts'
import { interpret, madeAt, type StoredWorkflow, type WorkflowRecords } from './workflow-record.ts'

const Cursor = z.tuple([z.number(), z.string()])

/** What the list and the counts ask of a workflow; an unreadable document stands where its file's time puts it. */
interface Facts {
  createdAt: number
  readable: (Pick<Workflow, 'state' | 'project'> & { updatedAt: number }) | null
}

const factsOf = (stored: StoredWorkflow): Facts => {
  const { found } = stored
  const createdAt = madeAt(stored).getTime()
  if (!found.ok) return { createdAt, readable: null }
  const { state, project, updatedAt } = found.item
  return { createdAt, readable: { state, project, updatedAt: updatedAt.getTime() } }
}

const reader: FactReader<Facts> = {
  isRecord: (name) => recordName.json(name) !== null && isVisibleName(name),
  isKind: (stat) => stat.isFile(),
  read(folder, name) {
    const file = look.read(folder, name)
    return file && { facts: factsOf(interpret(idOf(name), documentOf(name, file))) }
  },
}

const idOf = (name: string): string => recordName.json(name) ?? name

const matches = ({ readable }: Facts, { state, project, updatedBefore }: WorkflowFilter): boolean => {
  if (!readable) return state === undefined && project === undefined && updatedBefore === undefined
  return (
    (state === undefined || readable.state === state) &&
    (project === undefined || readable.project === project) &&
    (updatedBefore === undefined || readable.updatedAt < updatedBefore.getTime())
  )
}

interface Candidate {
  key: [number, string]
  id: string
}

export const createWorkflowList = (
  { layout, reading, checkOpen }: FsTools,
  { read }: WorkflowRecords,
): Pick<WorkflowStore, 'list' | 'counts'> => {
  const catalog = createCatalog<Facts>({ reading })

  return {
    async list(filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      const after = readCursor(filter, Cursor)
      const candidates = async function* () {
        const known = await catalog.look(layout.workflows, reader, options?.signal)
        yield (function* (): Generator<Candidate> {
          for (const [name, { facts }] of known)
            if (matches(facts, filter)) yield { key: [facts.createdAt, idOf(name)], id: idOf(name) }
        })()
      }
      const readOne = async ({ id }: Candidate) => {
        const stored = await read(id)
        return stored && matches(factsOf(stored), filter) ? stored.found : null
      }
      return readPage(filter, { after, compare: newestFirst, candidates, read: readOne }, options?.signal)
    },
    async counts(options) {
      checkOpen(options)
      const counted = new Map<string, number>()
      const slices = createSlices(options?.signal)
      for (const { facts } of (await catalog.look(layout.workflows, reader, options?.signal)).values()) {
        if (slices.isOver()) await slices.next()
        const state = facts.readable?.state
        if (state !== undefined) counted.set(state, (counted.get(state) ?? 0) + 1)
      }
      const count = (state: string, n: number): Count => (terminalWorkflowStates.includes(state) ? boundedCount(n) : n)
      return Object.fromEntries([...counted].map(([state, n]) => [state, count(state, n)]))
    },
  }
}
