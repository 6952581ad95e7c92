import { type Completion, type CompletionStatus, dedupKey, type Page } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf } from './answer.ts'
import { type ExpectedAnswers, expectedOf } from './expected.ts'
import { anyActor, anyIssue, issues, type OperationKind, operation, pageLimits, projects, seldom } from './operation.ts'
import type { Side } from './side.ts'

const project = seldom(fc.constantFrom(...projects), fc.constantFrom('a/b', '', 'a:b', 'nul\0', '\ud800'), {
  onceIn: 26,
})
const status = fc.constantFrom<CompletionStatus[]>('complete', 'blocked')
const agentType = fc.constantFrom('developer', 'reviewer')
/** The same value in two orders of its members, one of another value, and unknown members. */
const payload = fc.constantFrom(
  '{"a":1,"b":2}',
  '{"a":1,"b":2}',
  '{"b":2,"a":1}',
  '{"a":1}',
  '{"deep":{"x":[1,{"y":null}]},"__proto__":{"z":"\\u0000\\ud800"}}',
)
const key = fc
  .record({ prefix: fc.constantFrom('', '', '', '', 'alpha/', 'beta/'), issueNumber: anyIssue, agentType, status })
  .map(({ prefix, ...identity }) => `${prefix}${dedupKey(identity)}`)

const record = (name: string): string => `completion ${name}`

const shown = (side: Side, { rev, createdAt, savedAt, payload: data, reportId, ...completion }: Completion) => {
  side.sawRev(record(completion.dedupKey), rev)
  // A report that names no attempt is given an id that tells when its file was written.
  const report = reportId?.startsWith('drop:') ? 'a drop' : reportId
  return { ...completion, report, payload: JSON.stringify(data), times: createdAt <= savedAt }
}

const shownPage = (side: Side, { items, corrupt, cursor }: Page<Completion>): Answer => {
  for (const { name, rev } of corrupt) side.sawRev(record(name), rev)
  return answer(cursor === null ? 'last page' : 'page', {
    items: items.map((item) => shown(side, item)),
    corrupt: corrupt.map(({ name }) => name),
  })
}

const limit = seldom(pageLimits, fc.constant(0), { onceIn: 10 })
const anyOwner = fc.constantFrom('alpha', 'beta', null, undefined)

const writing: OperationKind[] = [
  operation({
    verb: 'completions.save',
    weight: 90,
    input: fc.record({
      actor: anyActor,
      project,
      issueNumber: anyIssue,
      agentType,
      status,
      summary: fc.constantFrom('Done', 'Done', 'Done', 'Again'),
      payload,
      reportId: fc.constantFrom('r1', 'r1', 'r1', 'r2', null),
      isAgain: seldom(fc.constant(false), fc.constant(true), { onceIn: 8 }),
    }),
    run: (side, { actor, payload: text, isAgain, ...fields }) =>
      answerOf(async () => {
        const input = isAgain && side.lastReport ? side.lastReport : { ...fields, payload: JSON.parse(text) }
        side.lastReport = input
        const result = await side.actor(actor).completions.save(input)
        return answer(result.status, { dedupKey: result.dedupKey })
      }),
  }),
  operation({
    verb: 'completions.assign',
    weight: 130,
    input: fc.record({ actor: anyActor, key, project }),
    run: (side, { actor, key: name, project: to }) =>
      answerOf(async () => {
        const result = await side.actor(actor).completions.assign(name, to)
        return answer(result.status, { project: 'project' in result ? result.project : null })
      }),
  }),
  operation({
    verb: 'completions.delete',
    weight: 20,
    input: fc.record({ actor: anyActor, key, guard: fc.constantFrom('plain', 'current', 'stale') }),
    run: (side, { actor, key: name, guard }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(record(name), guard)
        const result = await side.actor(actor).completions.delete(name, ifRev ? { ifRev } : {})
        if (result.status === 'conflict') side.sawRev(record(name), result.current)
        return answer(result.status)
      }),
  }),
]

const reading: OperationKind[] = [
  operation({
    verb: 'completions.scan',
    weight: 22,
    input: fc.record({
      actor: anyActor,
      issueNumber: fc.constantFrom(undefined, undefined, ...issues),
      project: anyOwner,
      limit,
    }),
    run: (side, { actor, limit: most, ...filter }) =>
      answerOf(async () => {
        const ask = (request: object) => side.actor(actor).completions.scan({ ...filter, ...request })
        return shownPage(side, await side.page(`scan ${filter.issueNumber} ${filter.project}`, most, ask))
      }),
  }),
  operation({
    verb: 'completions.history',
    weight: 22,
    input: fc.record({ actor: anyActor, issueNumber: anyIssue, project: anyOwner, limit }),
    run: (side, { actor, issueNumber, project: owner, limit: most }) =>
      answerOf(async () => {
        const ask = (request: object) =>
          side.actor(actor).completions.history(issueNumber, { project: owner, ...request })
        return shownPage(side, await side.page(`history ${issueNumber} ${owner}`, most, ask))
      }),
  }),
]

/** Of a program that knows no projects, with a status of its own at times, or unreadable. */
const insert = operation({
  verb: 'completions foreign insert',
  weight: 50,
  input: fc.record({
    issueNumber: anyIssue,
    agentType,
    status: fc.constantFrom('complete', 'complete', 'blocked', 'dreaming'),
    isCut: seldom(fc.constant(false), fc.constant(true), { onceIn: 8 }),
  }),
  async run(side, { isCut, ...identity }) {
    const { items, corrupt } = await side.actor(0).completions.history(identity.issueNumber, { limit: 1000 })
    const taken = [...items.map((item) => item.dedupKey), ...corrupt.map(({ name }) => name)]
    if (taken.includes(dedupKey(identity))) return answer('left')
    const data = isCut ? `{"cut${side.step}` : `{"a":1,"a":2,"n":${side.step},"big":9007199254740993,"x":{}}`
    await side.harness.foreign.insertCompletion({ project: 'alpha', ...identity, summary: 'Theirs', data })
    return answer('written')
  },
})

/** An agent's report where the mailbox knows the folder, whole or cut, with or without the id of its attempt. */
const drop = operation({
  verb: 'completions foreign drop',
  weight: 30,
  input: fc.record({
    actor: anyActor,
    project: fc.constantFrom(...projects),
    issueNumber: anyIssue,
    agentType,
    status: fc.constantFrom('complete', 'done', 'blocked'),
    attempt: fc.constantFrom(undefined, 'r1', 'r2'),
    isCut: seldom(fc.constant(false), fc.constant(true), { onceIn: 8 }),
  }),
  async run(side, { actor, project: owner, issueNumber, agentType: agent, status: word, attempt, isCut }) {
    const report = { agent_type: agent, status: word, summary: 'Dropped', n: side.step, attempt_id: attempt }
    const data = isCut ? `{"cut${side.step}` : JSON.stringify(report)
    const row = { project: owner, issueNumber, agentType: agent, status: word, summary: 'Dropped', data }
    await side.harness.foreign.insertCompletion(row)
    return shownPage(side, await side.actor(actor).completions.scan({ issueNumber }))
  },
})

export const completionOperations = (hasMailbox: boolean): OperationKind[] => [
  ...writing,
  ...reading,
  hasMailbox ? drop : insert,
]

export const completionAnswers = (hasMailbox: boolean) => {
  const ofNobody = hasMailbox ? 'every report of a mailbox has its project' : true
  return expectedOf('completions', {
    save: { created: true, updated: true, unchanged: true, invalid: true, corrupt: 'kept aside and replaced' },
    assign: {
      assigned: ofNobody,
      taken: ofNobody,
      owned: true,
      absent: true,
      invalid: true,
      corrupt: 'goes by its columns',
    },
    delete: { deleted: true, conflict: true, absent: true, invalid: 'is absent', corrupt: 'goes like any other' },
    scan: { page: true, 'last page': true, invalid: true, corrupt: 'beside the readable ones' },
    history: { page: true, 'last page': true, invalid: true, corrupt: 'beside the readable ones' },
  } satisfies ExpectedAnswers<'completions'>)
}
