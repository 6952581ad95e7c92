import type { TaskFileFilter, TaskFileStore } from '@nexus/core'
import { pageLimit, readCursor } from '@nexus/core'
import { z } from 'zod'
import { createCatalog, type FactReader, type Known } from './catalog.ts'
import { madeOf } from './documents.ts'
import type { OpenFolder } from './folder.ts'
import { isVisibleName, recordName, type TaskState, taskStates } from './layout.ts'
import { newestFirst, readPage } from './paging.ts'
import type { TaskFacts } from './task-facts.ts'
import type { Place, Shelf } from './task-shelf.ts'
import type { FsTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.string()])

/** What the list asks of a task file; its content is nothing of that. */
interface Listed {
  createdAt: number
  issueNumber: string | null
}

type Catalogued = ReadonlyMap<string, Known<Listed>>

interface Candidate {
  key: [number, string]
  place: Place
}

const matches = (
  { state, issueNumber }: TaskFileFilter,
  found: { state: TaskState; issueNumber: string | null },
): boolean =>
  (state === undefined || found.state === state) && (issueNumber === undefined || found.issueNumber === issueNumber)

/** A file between two folders has a name in both; it is listed once. */
function* candidatesOf(project: string, active: Catalogued, closed: Catalogued, filter: TaskFileFilter) {
  for (const state of taskStates)
    for (const [filename, { ino, facts }] of state === 'active' ? active : closed) {
      if (state === 'closed' && active.get(filename)?.ino === ino) continue
      if (!matches(filter, { state, issueNumber: facts.issueNumber })) continue
      const candidate: Candidate = {
        key: [facts.createdAt, `${project}/${state}/${filename}`],
        place: { project, state, filename },
      }
      yield candidate
    }
}

export const createTaskList = (
  { layout, reading, checkOpen }: FsTools,
  { shelf, taskFacts }: { shelf: Shelf; taskFacts: TaskFacts },
): Pick<TaskFileStore, 'list'> => {
  const catalog = createCatalog<Listed>({ reading })

  /**
   * Facts change only where the file's stamp does: they count from the moment that its new bytes are published, or that
   * the token of its move, another name of the file, is gone.
   */
  const readerOf = (folder: OpenFolder, project: string, state: TaskState): FactReader<Listed> => ({
    isRecord: (name) => recordName.task(name) !== null && isVisibleName(name),
    isKind: (stat) => stat.isFile(),
    read(_, filename, stat) {
      const { facts, isPending } = taskFacts.look(folder, { project, state, filename })
      const createdAt = facts?.createdAt ?? madeOf(stat).getTime()
      return { facts: { createdAt, issueNumber: facts?.issueNumber ?? null }, isPending }
    },
  })

  const candidatesIn = (project: string, filter: TaskFileFilter, signal: AbortSignal | undefined) =>
    reading.within<Iterable<Candidate>>(layout.project(project), [], async (folder) => {
      const lookAt = (state: TaskState): Promise<Catalogued> =>
        catalog.look(layout.tasks(project, state), readerOf(folder, project, state), signal)
      return candidatesOf(project, await lookAt('active'), await lookAt('closed'), filter)
    })

  return {
    async list(filter = {}, options) {
      checkOpen(options)
      pageLimit(filter)
      const after = readCursor(filter, Cursor)
      const candidates = async function* () {
        const projects = filter.project === undefined ? await reading.folders(layout.projects) : [filter.project]
        for (const project of projects.filter(isVisibleName)) yield candidatesIn(project, filter, options?.signal)
      }
      const read = async ({ place }: Candidate) => {
        const stored = await shelf.read(place)
        return stored && matches(filter, stored) ? stored.found : null
      }
      return readPage(filter, { after, compare: newestFirst, candidates, read }, options?.signal)
    },
  }
}
