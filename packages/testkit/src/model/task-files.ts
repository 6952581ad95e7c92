import type { Page, TaskFile } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf, unordered } from './answer.ts'
import { type ExpectedAnswers, expectedOf } from './expected.ts'
import {
  anyActor,
  anyProject,
  foreignProject,
  issues,
  type OperationKind,
  operation,
  pageLimits,
  projects,
  seldom,
} from './operation.ts'
import type { Side } from './side.ts'

const filename = fc.constantFrom('a.md', 'a.md', 'b.md', 'a~2.md')
const guard = fc.constantFrom('plain', 'plain', 'plain', 'plain', 'plain', 'absent', 'current', 'current', 'stale')
const content = fc.constantFrom('', '# One\n', 'two\r\nlines', '\uFEFFwith ü 🚀')

/** Of duplicates that others made only the one that `load` gives is what a guard goes by. */
const shown = (side: Side, { rev, createdAt, updatedAt, ...file }: TaskFile, isLoaded = false) => {
  const isOwn = file.project !== foreignProject
  if (isOwn || isLoaded) side.sawRev(`${file.project}/${file.filename}`, rev)
  return { ...file, times: !isOwn || createdAt <= updatedAt }
}

const shownPage = (side: Side, { items, corrupt, cursor }: Page<TaskFile>, isOrdered: boolean): Answer => {
  const entries = items.map((item) => shown(side, item))
  const detail = { items: isOrdered ? entries : unordered(entries), corrupt: corrupt.length }
  return answer(cursor === null ? 'last page' : 'page', detail)
}

const named = fc.record({ actor: anyActor, project: anyProject, filename })

const writing: OperationKind[] = [
  operation({
    verb: 'taskFiles.save',
    weight: 100,
    input: fc.record({
      actor: anyActor,
      project: anyProject,
      filename: seldom(filename, fc.constantFrom('no', '../a.md', '\ud800.md'), { onceIn: 21 }),
      content: seldom(content, fc.constantFrom('\0', '\udfff'), { onceIn: 21 }),
      issueNumber: fc.constantFrom(undefined, ...issues, null),
      guard,
    }),
    run: (side, { actor, guard: kind, ...file }) =>
      answerOf(async () => {
        const record = `${file.project}/${file.filename}`
        const result = await side.actor(actor).taskFiles.save(file, side.guard(record, kind))
        side.sawRev(record, result.status === 'saved' ? result.rev : result.current)
        return answer(result.status, { isThere: result.status === 'saved' || result.current !== null })
      }),
  }),
  ...(['close', 'reopen'] as const).map((verb) =>
    operation({
      verb: `taskFiles.${verb}`,
      weight: 32,
      input: named,
      run: (side, { actor, project, filename: file }) =>
        answerOf(async () => {
          const result = await side.actor(actor).taskFiles[verb](project, file)
          if (result.status === 'moved') side.forgetPages('taskFiles')
          return answer(result.status, { filename: 'filename' in result ? result.filename : null })
        }),
    }),
  ),
  operation({
    verb: 'taskFiles.delete',
    weight: 18,
    input: fc.record({ named, guard: fc.constantFrom('plain', 'current', 'stale') }),
    run: (side, { named: { actor, project, filename: file }, guard: kind }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(`${project}/${file}`, kind)
        const result = await side.actor(actor).taskFiles.delete(project, file, ifRev ? { ifRev } : {})
        return answer(result.status)
      }),
  }),
]

const reading: OperationKind[] = [
  operation({
    verb: 'taskFiles.load',
    weight: 20,
    input: named,
    run: (side, { actor, project, filename: file }) =>
      answerOf(async () => {
        const found = await side.actor(actor).taskFiles.load(project, file)
        return found ? answer('found', shown(side, found, true)) : answer('null')
      }),
  }),
  operation({
    verb: 'taskFiles.list',
    weight: 44,
    input: fc.record({
      actor: anyActor,
      project: fc.constantFrom(...projects),
      state: fc.constantFrom(undefined, undefined, undefined, undefined, 'active', 'closed', 'dreaming'),
      issueNumber: fc.constantFrom(undefined, undefined, undefined, ...issues),
      limit: seldom(pageLimits, fc.constant(-1), { onceIn: 10 }),
    }),
    run: (side, { actor, limit, ...filter }) =>
      answerOf(async () => {
        const list = `taskFiles ${JSON.stringify(filter)}`
        const ask = (request: object) => side.actor(actor).taskFiles.list({ ...filter, ...request })
        return shownPage(side, await side.page(list, limit, ask), true)
      }),
  }),
  operation({
    verb: 'taskFiles.list all',
    weight: 16,
    input: fc.record({ actor: anyActor }),
    run: (side, { actor }) => answerOf(async () => shownPage(side, await side.actor(actor).taskFiles.list(), false)),
  }),
]

/** Another program drops a file, or edits one. On files the same name in one folder is the same file. */
const foreign = operation({
  verb: 'taskFiles foreign write',
  weight: 24,
  input: fc.record({ filename, content, state: fc.constantFrom('active', 'closed') }),
  async run(side, { filename: file, content: text, state }) {
    const { foreign } = side.harness
    const project = foreignProject
    const { items } = await side.actor(0).taskFiles.list({ project, limit: 1000 })
    const present = items.filter((item) => item.filename === file)
    if (present.length === 0 || (present.length === 1 && present[0]?.state !== state))
      await foreign.insertTaskFile({ project, filename: file, content: text, state, issueNumber: null })
    else if (present.length === 1) await foreign.writeTaskFileContent(project, file, text)
    else return answer('left')
    return answer('written')
  },
})

export const taskFileOperations = [...writing, ...reading, foreign]

const unreadable = 'only bytes that are no text, which a table cannot hold'

export const taskFileAnswers = expectedOf('taskFiles', {
  save: { saved: true, conflict: true, invalid: true, corrupt: unreadable },
  load: { found: true, null: true, invalid: 'a name that nothing can have is null', corrupt: unreadable },
  list: { page: true, 'last page': true, invalid: true, corrupt: unreadable },
  close: { moved: true, already: true, absent: true, invalid: 'as in load', corrupt: unreadable },
  reopen: { moved: true, already: true, absent: true, invalid: 'as in load', corrupt: unreadable },
  delete: { deleted: true, conflict: true, absent: true, invalid: 'as in load', corrupt: unreadable },
} satisfies ExpectedAnswers<'taskFiles'>)
