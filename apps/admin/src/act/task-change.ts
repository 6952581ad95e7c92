import { basename } from 'node:path'
import { eachItem } from '@nexus/core'
import { audited } from '../audit/audit.ts'
import { exit, usageError } from '../cli/exit.ts'
import { readInput, standardInput } from '../cli/input.ts'
import { type Json, print } from '../cli/output.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { type BulkOptions, BulkResult, bulkText, type Chosen, changeSeveral, type Item } from './bulk.ts'
import { type GuardOptions, guardOf, writtenOf, writtenText } from './guard.ts'
import { TaskFilePut } from './task-files.ts'

type Word = 'close' | 'reopen'
export type TaskChangeOptions = Json & BulkOptions & { issue?: string }

const from = { close: 'active', reopen: 'closed' } as const satisfies Record<Word, string>

async function* ofIssue({ stores }: Place, word: Word, project: string, issueNumber: string): AsyncGenerator<Chosen> {
  const filter = { project, issueNumber, state: from[word] }
  for await (const { filename } of eachItem((page) => stores.taskFiles.list({ ...page, ...filter })))
    yield { id: filename, label: `${project}/${filename}` }
}

const moved = (
  word: Word,
  id: string,
  answer: { status: 'moved' | 'already'; filename: string } | { status: 'absent' },
): Item => {
  if (answer.status === 'absent') return { id, status: 'absent', ok: false }
  const status = answer.status === 'moved' ? { close: 'closed', reopen: 'reopened' }[word] : 'already'
  return { id, status, ok: true, ...(answer.filename !== id && { reason: `it is called ${answer.filename} there` }) }
}

const line = ({ id, status, reason }: Item): string => {
  if (status === 'absent') return `There is no task file ${id}. See: nexus-admin task ls`
  return `${id}: ${status}${reason === undefined ? '' : `, ${reason}`}.`
}

/** `task close` and `task reopen`: the files that are named, or those of an issue. */
export const moveTaskFiles =
  (word: Word) =>
  async (project: string, filenames: readonly string[], options: TaskChangeOptions): Promise<void> => {
    const { issue } = options
    const result = await withStores((place) =>
      changeSeveral({
        root: place.root,
        command: `task ${word}`,
        noun: 'task files',
        given: { project, ...(issue !== undefined && { issue }) },
        ids: filenames,
        choose: issue === undefined ? null : () => ofIssue(place, word, project, issue),
        change: async (filename) => moved(word, filename, await place.stores.taskFiles[word](project, filename)),
        options,
      }),
    )
    if (result === null || result.items.some(({ ok }) => !ok)) process.exitCode = exit.failed
    if (result) print(options, BulkResult, result, () => bulkText(result, { noun: 'task files', line }))
  }

export interface PutOptions extends Json, GuardOptions {
  filename?: string
  issue?: string
}

/** `task put`: a file's content, or standard input's, as a task file; where one is there, its content is replaced. */
export const putTaskFile = async (project: string, file: string, options: PutOptions): Promise<void> => {
  const filename = options.filename ?? (file === standardInput ? undefined : basename(file))
  if (filename === undefined) throw usageError('Standard input has no name: add --filename.')
  const guard = guardOf(options)
  const content = await readInput(file)
  const { issue } = options
  const result = await withStores(({ root, stores }) =>
    audited(
      root,
      {
        command: 'task put',
        arguments: { project, ...(issue !== undefined && { issue }) },
        what: [`${project}/${filename}`],
      },
      () => stores.taskFiles.save({ project, filename, content, issueNumber: issue }, guard),
      (saved) => ({ ...writtenOf(saved) }),
    ),
  )
  const written = writtenOf(result)
  if (written.status === 'conflict') process.exitCode = exit.failed
  print(options, TaskFilePut, { version: 1, project, filename, ...written }, () => [
    writtenText(`${project}/${filename}`, written),
  ])
}
