import { basename } from 'node:path'
import { type EnqueueTask, repairText } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { usageError } from '../cli/exit.ts'
import { readInput, standardInput } from '../cli/input.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'

/** What `inbox add --json` prints. */
export const InboxAdded = envelope({
  tasks: z.array(
    z.object({
      filename: z.string(),
      status: z.enum(['enqueued', 'duplicate']).describe('duplicate: it is there already, under this id'),
      id: z.string(),
    }),
  ),
})

export interface AddOptions extends Json {
  filename?: string
  workspace?: string
  priority?: number
  runAt?: Date
  maxAttempts?: number
  key?: string
  issue?: string
}

const tasksOf = async (project: string, files: readonly string[], options: AddOptions): Promise<EnqueueTask[]> => {
  const { filename, workspace, priority, runAt, maxAttempts, key, issue } = options
  if (files.length > 1 && (filename !== undefined || key !== undefined))
    throw usageError('--filename and --key name one task: give one file.')
  const tasks: EnqueueTask[] = []
  for (const file of files) {
    const markdown = repairText(await readInput(file))
    if (markdown.trim() === '')
      throw usageError(`The task is empty: ${file === standardInput ? 'standard input' : file} has no text.`)
    tasks.push({
      project,
      filename: filename ?? (file === standardInput ? 'task.md' : basename(file)),
      markdown,
      workspace,
      priority,
      runAt,
      maxAttempts,
      idempotencyKey: key,
      issueNumber: issue,
    })
  }
  return tasks
}

/** `inbox add`: puts files, or standard input, into the queue. The whole of them are read before the first one is put. */
export const addTasks = async (project: string, files: readonly string[], options: AddOptions): Promise<void> => {
  const tasks = await tasksOf(project, files.length > 0 ? files : [standardInput], options)
  const what = tasks.map(({ filename }) => `${project}/${filename}`)
  const results = await withStores(({ root, stores }) =>
    audited(
      root,
      { command: 'inbox add', arguments: { project }, what },
      () => stores.inbox.enqueue(tasks),
      (added) => ({ status: 'done', tasks: added.map(({ status, id }) => ({ status, id })) }),
    ),
  )
  const added = results.map(({ status, id }, index) => ({ filename: tasks[index]?.filename ?? '', status, id }))
  print(options, InboxAdded, { version: 1, tasks: added }, () => added.map(({ status, id }) => `${status} ${id}`))
}
