import { type Completion, type CompletionStatus, dedupKey, type Page } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf } from './answer.ts'
import { anyActor, anyIssue, issues, type Operation, operation, pageLimits, projects, repeated } from './operation.ts'
import type { Side } from './side.ts'

const project = fc.constantFrom(...projects)
const status = fc.constantFrom<CompletionStatus[]>('complete', 'blocked')
const agentType = fc.constantFrom('developer', 'reviewer')
/** The same value in two orders of its members, one of another value, and unknown members. */
const payload = fc.constantFrom('{"a":1,"b":2}', '{"b":2,"a":1}', '{"a":1}', '{"deep":{"x":[1,{"y":null}]}}')
const key = fc
  .record({ prefix: fc.constantFrom('', '', '', '', 'alpha/', 'beta/'), issueNumber: anyIssue, agentType, status })
  .map(({ prefix, ...identity }) => `${prefix}${dedupKey(identity)}`)

const shown = (side: Side, { rev, createdAt, savedAt, payload: data, ...completion }: Completion) => {
  side.sawRev(`completion ${completion.dedupKey}`, rev)
  return { ...completion, payload: JSON.stringify(data), times: createdAt <= savedAt }
}

const shownPage = (side: Side, { items, corrupt, cursor }: Page<Completion>): Answer =>
  answer(cursor === null ? 'last page' : 'page', {
    items: items.map((item) => shown(side, item)),
    corrupt: corrupt.map(({ name }) => name),
  })

const limit = fc.oneof({ arbitrary: pageLimits, weight: 9 }, { arbitrary: fc.constant(0), weight: 1 })
const anyOwner = fc.constantFrom('alpha', 'beta', null, undefined)

const writing: fc.Arbitrary<Operation>[] = [
  operation(
    'completions.save',
    fc.record({
      actor: anyActor,
      project: fc.oneof({ arbitrary: project, weight: 25 }, { arbitrary: fc.constantFrom('a/b', ''), weight: 1 }),
      issueNumber: anyIssue,
      agentType,
      status,
      summary: fc.constantFrom('Done', 'Done', 'Again'),
      payload,
      reportId: fc.constantFrom('r1', 'r1', 'r2', null),
    }),
    (side, { actor, payload: text, ...fields }) =>
      answerOf(async () => {
        const input = { ...fields, payload: JSON.parse(text) }
        const result = await side.actor(actor).completions.save(input)
        return answer(result.status, { dedupKey: result.dedupKey })
      }),
  ),
  operation(
    'completions.assign',
    fc.record({ actor: anyActor, key, project }),
    (side, { actor, key: name, project: to }) =>
      answerOf(async () => {
        const result = await side.actor(actor).completions.assign(name, to)
        return answer(result.status, { project: 'project' in result ? result.project : null })
      }),
  ),
  operation(
    'completions.delete',
    fc.record({ actor: anyActor, key, guard: fc.constantFrom('plain', 'current', 'stale') }),
    (side, { actor, key: name, guard }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(`completion ${name}`, guard)
        const result = await side.actor(actor).completions.delete(name, ifRev ? { ifRev } : {})
        if (result.status === 'conflict') side.sawRev(`completion ${name}`, result.current)
        return answer(result.status)
      }),
  ),
]

const reading: fc.Arbitrary<Operation>[] = [
  operation(
    'completions.scan',
    fc.record({
      actor: anyActor,
      issueNumber: fc.constantFrom(undefined, undefined, ...issues),
      project: anyOwner,
      limit,
    }),
    (side, { actor, limit: most, ...filter }) =>
      answerOf(async () => {
        const ask = (request: object) => side.actor(actor).completions.scan({ ...filter, ...request })
        return shownPage(side, await side.page(`scan ${filter.issueNumber} ${filter.project}`, most, ask))
      }),
  ),
  operation(
    'completions.history',
    fc.record({ actor: anyActor, issueNumber: anyIssue, project: anyOwner, limit }),
    (side, { actor, issueNumber, project: owner, limit: most }) =>
      answerOf(async () => {
        const ask = (request: object) =>
          side.actor(actor).completions.history(issueNumber, { project: owner, ...request })
        return shownPage(side, await side.page(`history ${issueNumber} ${owner}`, most, ask))
      }),
  ),
]

/** Of a program that knows no projects. Where the mailbox knows the folder, its report is the project's own. */
const foreign = operation(
  'completions foreign insert',
  fc.record({ issueNumber: anyIssue, agentType, status }),
  async (side, identity) => {
    const { backend, foreign } = side.harness
    const { items } = await backend.completions.history(identity.issueNumber, { limit: 1000 })
    if (items.some((item) => item.dedupKey === dedupKey(identity))) return answer('left')
    const data = JSON.stringify({ ...identity, n: side.step })
    await foreign.insertCompletion({ project: 'alpha', ...identity, summary: 'Theirs', data })
    return answer('written')
  },
)

export const completionOperations = (hasMailbox: boolean): fc.Arbitrary<Operation>[] => [
  ...writing,
  ...repeated(writing[0], 3),
  ...repeated(writing[1], 4),
  ...reading,
  ...(hasMailbox ? [] : repeated(foreign, 5)),
]

export const completionAnswers = (hasMailbox: boolean) => ({
  'completions.save': ['created', 'updated', 'unchanged', 'invalid'],
  'completions.assign': hasMailbox ? ['owned', 'absent'] : ['assigned', 'owned', 'absent', 'taken'],
  'completions.delete': ['deleted', 'conflict', 'absent'],
  'completions.scan': ['page', 'last page', 'invalid'],
  'completions.history': ['page', 'last page', 'invalid'],
})
