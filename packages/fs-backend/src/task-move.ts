import { type CallOptions, type MoveResult, siblingName } from '@nexus/core'
import { isVisibleName, type TaskState, taskStates } from './layout.ts'
import type { Decision } from './revisions/revisions.ts'
import type { TaskFacts } from './task-facts.ts'
import { canBe, type Shelf } from './task-shelf.ts'
import type { FsTools } from './tools.ts'

type Move = { status: 'moved'; inode: number } | { status: 'already' | 'absent' }

/** Closing and reopening: from one folder to the other. */
export const createMove = ({ layout, reading, revisions }: FsTools, shelf: Shelf, taskFacts: TaskFacts) => {
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
    const decide = async (): Promise<Decision<Move>> => {
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
