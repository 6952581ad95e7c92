import { join } from 'node:path'
import { parseJson } from '@nexus/core'
import type { OpenFolder } from './folder.ts'
import { isVisibleName, type TaskState } from './layout.ts'
import { look } from './look.ts'
import { Facts } from './revisions/operation.ts'
import { quietly } from './steps.ts'
import type { FsTools } from './tools.ts'

interface FoundFacts {
  facts: Facts | null
  /** Newer facts lie there that do not count yet. */
  isPending: boolean
}

export interface TaskFacts {
  /** What counts for the file of that name in that folder; null for a hand-made one. */
  read(project: string, state: TaskState, filename: string): Promise<Facts | null>
  /** The same at once, with the project's folder held open. */
  look(folder: OpenFolder, place: { project: string; state: TaskState; filename: string }): FoundFacts
  /** Removes facts that newer ones replaced. */
  prune(project: string, filename: string): Promise<void>
}

/** Fewer are not worth looking through. */
const kept = 8

const numberOf = (file: string): number => Number.parseFloat(file)

const namesIn = (folder: OpenFolder): string[] =>
  look
    .names(folder)
    .filter((file) => /^\d+(\.\d+)?\.json$/.test(file))
    .sort((a, b) => numberOf(b) - numberOf(a))

const readOne = (folder: OpenFolder, name: string): Facts | null => {
  const file = look.read(folder, name)
  const parsed = parseJson(file?.bytes.toString('utf8') ?? '')
  const facts = Facts.safeParse(parsed.ok ? parsed.value : null)
  return facts.success ? facts.data : null
}

export const createTaskFacts = ({ layout, reading, atomic }: FsTools): TaskFacts => {
  const isPending = ({ token }: Facts): boolean => isVisibleName(token) && look.isThere(join(layout.temp, token))

  const choose = (folder: OpenFolder, state: TaskState): FoundFacts => {
    let isNewsDue = false
    for (const name of namesIn(folder)) {
      const facts = readOne(folder, name)
      if (!facts || (facts.state !== state && facts.from !== state)) continue
      if (!isPending(facts)) return { facts: facts.state === state ? facts : null, isPending: isNewsDue }
      isNewsDue = true
    }
    return { facts: null, isPending: isNewsDue }
  }

  return {
    read: (project, state, filename) =>
      reading.within(layout.taskFacts(project, filename), null, async (folder) => choose(folder, state).facts),
    look: (folder, { project, state, filename }) =>
      look.inside(folder, layout.taskFacts(project, filename), (found) => choose(found, state)) ?? {
        facts: null,
        isPending: false,
      },
    async prune(project, filename) {
      const path = layout.taskFacts(project, filename)
      const old = await reading.within(path, [], async (folder) => {
        const files = namesIn(folder)
        if (files.length <= kept) return []
        const known = new Set<TaskState | null>()
        return files.filter((file) => {
          const facts = readOne(folder, file)
          if (!facts || isPending(facts)) return false
          const isNews = [facts.state, facts.from].some((state) => state !== null && !known.has(state))
          known.add(facts.state).add(facts.from)
          return !isNews
        })
      })
      // The save is done: facts that stay are only more to look through.
      for (const file of old) await quietly(atomic.loose.remove(join(path, file)))
    },
  }
}
