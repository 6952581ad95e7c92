import type { Page, TaskFile } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf, unordered } from './answer.ts'
import {
  anyActor,
  anyProject,
  foreignProject,
  issues,
  type Operation,
  operation,
  pageLimits,
  projects,
  repeated,
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

const writing: fc.Arbitrary<Operation>[] = [
  operation(
    'taskFiles.save',
    fc.record({
      actor: anyActor,
      project: anyProject,
      filename: fc.oneof(
        { arbitrary: filename, weight: 20 },
        { arbitrary: fc.constantFrom('no', '../a.md'), weight: 1 },
      ),
      content: fc.oneof({ arbitrary: content, weight: 20 }, { arbitrary: fc.constant('\0'), weight: 1 }),
      issueNumber: fc.constantFrom(undefined, ...issues, null),
      guard,
    }),
    (side, { actor, guard: kind, ...file }) =>
      answerOf(async () => {
        const record = `${file.project}/${file.filename}`
        const result = await side.actor(actor).taskFiles.save(file, side.guard(record, kind))
        side.sawRev(record, result.status === 'saved' ? result.rev : result.current)
        return answer(result.status, { isThere: result.status === 'saved' || result.current !== null })
      }),
  ),
  ...(['close', 'reopen'] as const).map((verb) =>
    operation(`taskFiles.${verb}`, named, (side, { actor, project, filename: file }) =>
      answerOf(async () => {
        const result = await side.actor(actor).taskFiles[verb](project, file)
        return answer(result.status, { filename: 'filename' in result ? result.filename : null })
      }),
    ),
  ),
  operation(
    'taskFiles.delete',
    fc.record({ named, guard: fc.constantFrom('plain', 'current', 'stale') }),
    (side, { named: { actor, project, filename: file }, guard: kind }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(`${project}/${file}`, kind)
        const result = await side.actor(actor).taskFiles.delete(project, file, ifRev ? { ifRev } : {})
        return answer(result.status)
      }),
  ),
]

const reading: fc.Arbitrary<Operation>[] = [
  operation('taskFiles.load', named, (side, { actor, project, filename: file }) =>
    answerOf(async () => {
      const found = await side.actor(actor).taskFiles.load(project, file)
      return found ? answer('found', shown(side, found, true)) : answer('null')
    }),
  ),
  operation(
    'taskFiles.list',
    fc.record({
      actor: anyActor,
      project: fc.constantFrom(...projects),
      state: fc.constantFrom(undefined, undefined, 'active', 'closed'),
      issueNumber: fc.constantFrom(undefined, undefined, undefined, ...issues),
      limit: fc.oneof({ arbitrary: pageLimits, weight: 9 }, { arbitrary: fc.constant(-1), weight: 1 }),
    }),
    (side, { actor, limit, ...filter }) =>
      answerOf(async () => {
        const list = `taskFiles ${JSON.stringify(filter)}`
        const ask = (request: object) => side.actor(actor).taskFiles.list({ ...filter, ...request })
        return shownPage(side, await side.page(list, limit, ask), true)
      }),
  ),
  operation('taskFiles.list all', fc.record({ actor: anyActor }), (side, { actor }) =>
    answerOf(async () => shownPage(side, await side.actor(actor).taskFiles.list(), false)),
  ),
]

/** Another program drops a file, or edits one. On files the same name in one folder is the same file. */
const foreign = operation(
  'taskFiles foreign write',
  fc.record({ filename, content, state: fc.constantFrom('active', 'closed') }),
  async (side, { filename: file, content: text, state }) => {
    const { backend, foreign } = side.harness
    const project = foreignProject
    const { items } = await backend.taskFiles.list({ project, limit: 1000 })
    const present = items.filter((item) => item.filename === file)
    if (present.length === 0 || (present.length === 1 && present[0]?.state !== state))
      await foreign.insertTaskFile({ project, filename: file, content: text, state, issueNumber: null })
    else if (present.length === 1) await foreign.writeTaskFileContent(project, file, text)
    else return answer('left')
    return answer('written')
  },
)

export const taskFileOperations = [...writing, ...repeated(writing[0], 5), ...reading, foreign]

export const taskFileAnswers = {
  'taskFiles.save': ['saved', 'conflict', 'invalid'],
  'taskFiles.close': ['moved', 'already', 'absent'],
  'taskFiles.reopen': ['moved', 'already', 'absent'],
  'taskFiles.delete': ['deleted', 'conflict', 'absent'],
  'taskFiles.load': ['found', 'null'],
  'taskFiles.list': ['page', 'last page', 'invalid'],
}
