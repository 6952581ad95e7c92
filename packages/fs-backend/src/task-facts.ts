import { join } from 'node:path'
import { parseJson } from '@nexus/core'
import type { TaskState } from './layout.ts'
import { Facts } from './revisions/operation.ts'
import { quietly } from './steps.ts'
import type { FsTools } from './tools.ts'

export interface TaskFacts {
  /** What counts for the file of that name in that folder; null for a hand-made one. */
  read(project: string, state: TaskState, filename: string): Promise<Facts | null>
  /** Removes facts that newer ones replaced. */
  prune(project: string, filename: string): Promise<void>
}

/** Fewer are not worth looking through. */
const kept = 8

const numberOf = (file: string): number => Number.parseFloat(file)

export const createTaskFacts = ({ layout, reading, atomic }: FsTools): TaskFacts => {
  const filesOf = async (folder: string): Promise<string[]> =>
    (await reading.files(folder))
      .filter((file) => /^\d+(\.\d+)?\.json$/.test(file))
      .sort((a, b) => numberOf(b) - numberOf(a))

  const readOne = async (path: string): Promise<Facts | null> => {
    const file = await reading.read(path)
    const parsed = parseJson(file?.bytes.toString('utf8') ?? '')
    const facts = Facts.safeParse(parsed.ok ? parsed.value : null)
    return facts.success ? facts.data : null
  }

  const isPending = async ({ token }: Facts): Promise<boolean> =>
    (await reading.stat(join(layout.temp, token))) !== null

  return {
    async read(project, state, filename) {
      const folder = layout.taskFacts(project, filename)
      for (const file of await filesOf(folder)) {
        const facts = await readOne(join(folder, file))
        if (!facts || (facts.state !== state && facts.from !== state) || (await isPending(facts))) continue
        return facts.state === state ? facts : null
      }
      return null
    },
    async prune(project, filename) {
      const folder = layout.taskFacts(project, filename)
      const files = await filesOf(folder)
      if (files.length <= kept) return
      const known = new Set<TaskState | null>()
      for (const file of files) {
        const path = join(folder, file)
        const facts = await readOne(path)
        if (!facts || (await isPending(facts))) continue
        const isNews = [facts.state, facts.from].some((state) => state !== null && !known.has(state))
        known.add(facts.state).add(facts.from)
        // The save is done: facts that stay are only more to look through.
        if (!isNews) await quietly(atomic.loose.remove(path))
      }
    },
  }
}
