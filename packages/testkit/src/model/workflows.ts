import { type Page, type Workflow, workflowStates } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf, unordered } from './answer.ts'
import { type ExpectedAnswers, expectedOf } from './expected.ts'
import {
  anyActor,
  foreignProject,
  issues,
  type OperationKind,
  operation,
  pageLimits,
  projects,
  seldom,
} from './operation.ts'
import type { Side } from './side.ts'

const anyProject = fc.constantFrom(...projects, foreignProject, foreignProject)
const issue = fc.constantFrom(...issues, '9')
const name = fc.record({ project: anyProject, issue })
const own = fc.record({ project: fc.constantFrom(...projects), issue })
const guard = fc.constantFrom('plain', 'plain', 'plain', 'plain', 'absent', 'current', 'current', 'stale')
const state = fc.constantFrom(...workflowStates, 'running', 'paused', 'completed', 'completed', 'dreaming')
/** Every one of them may follow `running`, which is what an unreadable one was. */
const laterState = fc.constantFrom('running', 'paused', 'completed', 'failed', 'cancelled')
const data = seldom(
  fc.constantFrom(
    '{"unknown":{"kept":true}}',
    '{"__proto__":{"x":1},"nul":"\\u0000","lone":"\\ud800"}',
    '{"id":"other"}',
  ),
  fc.constant('[]'),
  { onceIn: 15 },
)

interface Name {
  project: string
  issue: string
}

const idOf = ({ project, issue }: Name): string => `${project}-${issue}-full`

/** Times in the document follow the clock of each side, and the order of its members the program that made it. */
const timeless = (document: Workflow['data']): string =>
  JSON.stringify(
    Object.entries(document)
      .filter(([member]) => !member.endsWith('_at'))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

const shown = (side: Side, { rev, createdAt, updatedAt, data: document, ...workflow }: Workflow) => {
  side.sawRev(workflow.id, rev)
  const times = workflow.project === foreignProject ? 'any' : side.times(workflow.id, { createdAt, updatedAt })
  return { ...workflow, data: timeless(document), times }
}

const shownPage = (side: Side, { items, corrupt, cursor }: Page<Workflow>, isOrdered: boolean): Answer => {
  const entries = items.map((item) => shown(side, item))
  const detail = { items: isOrdered ? entries : unordered(entries), corrupt: corrupt.map((entry) => entry.name).sort() }
  return answer(cursor === null ? 'last page' : 'page', detail)
}

const loaded = (side: Side, actor: number, id: string): Promise<Answer> =>
  answerOf(
    async () => {
      const found = await side.actor(actor).workflows.load(id)
      return found ? answer('found', shown(side, found)) : answer('null')
    },
    (rev) => side.sawRev(id, rev),
  )

const save = operation({
  verb: 'workflows.save',
  weight: 110,
  input: fc.oneof(
    fc.record({ actor: anyActor, name: own, state, guard, reopen: fc.boolean(), data }),
    fc.record({ actor: anyActor, name: own, state: laterState, guard, reopen: fc.boolean(), data }),
    fc.record({
      actor: anyActor,
      name: fc.record({ project: fc.constant(foreignProject), issue }),
      state: laterState,
      guard,
      reopen: fc.constant(true),
      data,
    }),
  ),
  run: (side, { actor, name: given, state: next, guard: kind, reopen, data: text }) => {
    const id = idOf(given)
    const workflow = {
      id,
      name: `Workflow ${given.issue}`,
      state: next,
      currentStep: side.step % 4,
      project: given.project,
      issueNumber: given.issue,
      data: text === '[]' ? JSON.parse(text) : { n: side.step, ...JSON.parse(text) },
    }
    return answerOf(
      async () => {
        const result = await side.actor(actor).workflows.save(workflow, { ...side.guard(id, kind), reopen })
        side.sawRev(id, result.status === 'saved' ? result.rev : result.current)
        return answer(result.status, { isThere: result.status === 'saved' || result.current !== null })
      },
      (rev) => side.sawRev(id, rev),
    )
  },
})

const remove = operation({
  verb: 'workflows.delete',
  weight: 22,
  input: fc.record({ actor: anyActor, name, guard: fc.constantFrom('plain', 'current', 'stale', 'stale') }),
  run: (side, { actor, name: given, guard: kind }) =>
    answerOf(async () => {
      const { ifRev } = side.guard(idOf(given), kind)
      const result = await side.actor(actor).workflows.delete(idOf(given), ifRev ? { ifRev } : {})
      return answer(result.status)
    }),
})

const reading: OperationKind[] = [
  operation({
    verb: 'workflows.load',
    weight: 34,
    input: fc.record({ actor: anyActor, name }),
    run: (side, { actor, name: given }) => loaded(side, actor, idOf(given)),
  }),
  operation({
    verb: 'workflows.list',
    weight: 24,
    input: fc.record({
      actor: anyActor,
      project: fc.constantFrom(...projects),
      state: fc.constantFrom(undefined, undefined, undefined, 'running', 'paused'),
      limit: seldom(pageLimits, fc.constantFrom(0, 1001, 1.5), { onceIn: 10 }),
    }),
    run: (side, { actor, project, state: wanted, limit }) =>
      answerOf(async () => {
        const ask = (request: object) => side.actor(actor).workflows.list({ project, state: wanted, ...request })
        return shownPage(side, await side.page(`workflows ${project} ${wanted}`, limit, ask), true)
      }),
  }),
  operation({
    verb: 'workflows.list all',
    weight: 18,
    input: fc.record({ actor: anyActor }),
    run: (side, { actor }) => answerOf(async () => shownPage(side, await side.actor(actor).workflows.list(), false)),
  }),
  operation({
    verb: 'workflows.list updatedBefore',
    weight: 12,
    input: fc.record({ actor: anyActor, nth: fc.nat(1) }),
    run: (side, { actor, nth }) =>
      answerOf(async () => {
        const { workflows } = side.actor(actor)
        const { items } = await workflows.list({ project: 'alpha' })
        const updatedBefore = items[nth]?.updatedAt
        return shownPage(side, await workflows.list({ project: 'alpha', updatedBefore }), true)
      }),
  }),
  operation({
    verb: 'workflows.counts',
    weight: 18,
    input: fc.record({ actor: anyActor }),
    run: (side, { actor }) =>
      answerOf(async () => {
        const { workflows } = side.actor(actor)
        const { items, corrupt } = await workflows.list()
        // On files the state of an unreadable one is nowhere.
        if (corrupt.length > 0) return answer('counted', items.length)
        return answer('counted', await workflows.counts())
      }),
  }),
]

/** Another program makes one, changes its state, or leaves it unreadable. */
const foreign = operation({
  verb: 'workflows foreign write',
  weight: 44,
  input: fc.record({
    issue,
    state: fc.constantFrom(...workflowStates, 'dreaming'),
    change: fc.constantFrom('state', 'text', 'text', 'text', 'cut', 'cut'),
    isRead: fc.boolean(),
  }),
  async run(side, { issue: number, state: given, change, isRead }) {
    const { foreign } = side.harness
    const id = idOf({ project: foreignProject, issue: number })
    const data = JSON.stringify({ project: foreignProject, issue_number: number, by: 'another', n: side.step })
    const { items, corrupt } = await side.actor(0).workflows.list()
    if (corrupt.some((entry) => entry.name === id)) return answer('left')
    const present = items.find((item) => item.id === id)
    if (!present) await foreign.insertWorkflow({ id, name: 'Theirs', state: given, currentStep: 1, data })
    if (present && change !== 'state') {
      const { name: title, currentStep } = present
      const document = { ...JSON.parse(data), name: title, state: 'running', current_step: currentStep }
      await foreign.setWorkflowState(id, 'running')
      await foreign.writeWorkflowText(
        id,
        change === 'cut' ? `{"cut${side.step}` : `${JSON.stringify(document, null, 2)}\n`,
      )
    } else {
      // On files this lays the document out anew: from here on the same state is the same text, as it is elsewhere.
      await foreign.setWorkflowState(id, given)
    }
    return isRead ? answer('written', { ...(await loaded(side, 1, id)) }) : answer('written')
  },
})

export const workflowOperations = [save, remove, ...reading, foreign]

export const workflowAnswers = expectedOf('workflows', {
  save: { saved: true, conflict: true, invalid: true, corrupt: true },
  load: { found: true, null: true, corrupt: true, invalid: 'a name that nothing can have is null' },
  list: { page: true, 'last page': true, invalid: true, corrupt: 'beside the readable ones' },
  delete: { deleted: true, conflict: true, absent: true, invalid: 'as in load', corrupt: 'goes like any other' },
  counts: { counted: true, invalid: 'it is asked nothing', corrupt: 'on files its state is nowhere' },
} satisfies ExpectedAnswers<'workflows'>)
