import { type Page, type Workflow, workflowStates } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf, unordered } from './answer.ts'
import {
  anyActor,
  foreignProject,
  issues,
  type Operation,
  operation,
  pageLimits,
  projects,
  repeated,
} from './operation.ts'
import type { Side } from './side.ts'

const anyProject = fc.constantFrom(...projects, foreignProject, foreignProject)
const issue = fc.constantFrom(...issues, '9')
const name = fc.record({ project: anyProject, issue })
const own = fc.record({ project: fc.constantFrom(...projects), issue })
const guard = fc.constantFrom('plain', 'plain', 'plain', 'plain', 'absent', 'current', 'current', 'stale')
const state = fc.constantFrom(...workflowStates, 'running', 'dreaming')
/** Every one of them may follow `running`, which is what an unreadable one was. */
const laterState = fc.constantFrom('running', 'paused', 'completed', 'failed', 'cancelled')

interface Name {
  project: string
  issue: string
}

const idOf = ({ project, issue }: Name): string => `${project}-${issue}-full`

/** Times in the document follow the clock of each side. */
const timeless = (data: Workflow['data']) =>
  Object.fromEntries(Object.entries(data).filter(([member]) => !member.endsWith('_at')))

const shown = (side: Side, { rev, createdAt, updatedAt, data, ...workflow }: Workflow) => {
  side.sawRev(workflow.id, rev)
  const times = workflow.project === foreignProject ? 'any' : side.times(workflow.id, { createdAt, updatedAt })
  return { ...workflow, data: timeless(data), times }
}

const shownPage = (side: Side, { items, corrupt, cursor }: Page<Workflow>, isOrdered: boolean): Answer => {
  const entries = items.map((item) => shown(side, item))
  const detail = { items: isOrdered ? entries : unordered(entries), corrupt: corrupt.map((entry) => entry.name).sort() }
  return answer(cursor === null ? 'last page' : 'page', detail)
}

const save = (
  side: Side,
  actor: number,
  given: Name & { state: string; guard: Parameters<Side['guard']>[1]; reopen: boolean },
) => {
  const id = idOf(given)
  return answerOf(
    async () => {
      const result = await side.actor(actor).workflows.save(
        {
          id,
          name: `Workflow ${given.issue}`,
          state: given.state,
          currentStep: side.step % 4,
          project: given.project,
          issueNumber: given.issue,
          data: { n: side.step, unknown: { kept: true } },
        },
        { ...side.guard(id, given.guard), reopen: given.reopen },
      )
      side.sawRev(id, result.status === 'saved' ? result.rev : result.current)
      return answer(result.status, { isThere: result.status === 'saved' || result.current !== null })
    },
    (rev) => side.sawRev(id, rev),
  )
}

const writing: fc.Arbitrary<Operation>[] = [
  operation(
    'workflows.save',
    fc.oneof(
      fc.record({ actor: anyActor, name: own, state, guard, reopen: fc.boolean() }),
      fc.record({ actor: anyActor, name: own, state: laterState, guard, reopen: fc.boolean() }),
      fc.record({
        actor: anyActor,
        name: fc.record({ project: fc.constant(foreignProject), issue }),
        state: laterState,
        guard,
        reopen: fc.constant(true),
      }),
    ),
    (side, { actor, name: given, ...rest }) => save(side, actor, { ...given, ...rest }),
  ),
  operation(
    'workflows.delete',
    fc.record({ actor: anyActor, name, guard: fc.constantFrom('plain', 'current', 'stale', 'stale') }),
    (side, { actor, name: given, guard: kind }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(idOf(given), kind)
        const result = await side.actor(actor).workflows.delete(idOf(given), ifRev ? { ifRev } : {})
        return answer(result.status)
      }),
  ),
]

const reading: fc.Arbitrary<Operation>[] = [
  operation('workflows.load', fc.record({ actor: anyActor, name }), (side, { actor, name: given }) =>
    answerOf(
      async () => {
        const found = await side.actor(actor).workflows.load(idOf(given))
        return found ? answer('found', shown(side, found)) : answer('null')
      },
      (rev) => side.sawRev(idOf(given), rev),
    ),
  ),
  operation(
    'workflows.list',
    fc.record({
      actor: anyActor,
      project: fc.constantFrom(...projects),
      state: fc.constantFrom(undefined, undefined, undefined, 'running', 'paused'),
      limit: fc.oneof({ arbitrary: pageLimits, weight: 9 }, { arbitrary: fc.constantFrom(0, 1001, 1.5), weight: 1 }),
    }),
    (side, { actor, project, state: wanted, limit }) =>
      answerOf(async () => {
        const ask = (request: object) => side.actor(actor).workflows.list({ project, state: wanted, ...request })
        return shownPage(side, await side.page(`workflows ${project} ${wanted}`, limit, ask), true)
      }),
  ),
  operation('workflows.list all', fc.record({ actor: anyActor }), (side, { actor }) =>
    answerOf(async () => shownPage(side, await side.actor(actor).workflows.list(), false)),
  ),
  operation('workflows.list updatedBefore', fc.record({ actor: anyActor, nth: fc.nat(1) }), (side, { actor, nth }) =>
    answerOf(async () => {
      const { workflows } = side.actor(actor)
      const { items } = await workflows.list({ project: 'alpha' })
      const updatedBefore = items[nth]?.updatedAt
      return shownPage(side, await workflows.list({ project: 'alpha', updatedBefore }), true)
    }),
  ),
  operation('workflows.counts', fc.record({ actor: anyActor }), (side, { actor }) =>
    answerOf(async () => {
      const { workflows } = side.actor(actor)
      // On files the state of an unreadable one is nowhere.
      if ((await workflows.list()).corrupt.length > 0) return answer('some unreadable')
      return answer('counted', await workflows.counts())
    }),
  ),
]

/** Another program makes one, changes its state, or leaves it unreadable. */
const foreign = operation(
  'workflows foreign write',
  fc.record({
    issue,
    state: fc.constantFrom(...workflowStates, 'dreaming'),
    change: fc.constantFrom('state', 'text', 'cut', 'cut'),
  }),
  async (side, { issue, state: given, change }) => {
    const { backend, foreign } = side.harness
    const id = idOf({ project: foreignProject, issue })
    const data = JSON.stringify({ project: foreignProject, issue_number: issue, by: 'another', n: side.step })
    const { items, corrupt } = await backend.workflows.list()
    if (corrupt.some((entry) => entry.name === id)) return answer('left')
    const present = items.find((item) => item.id === id)
    if (!present) await foreign.insertWorkflow({ id, name: 'Theirs', state: given, currentStep: 1, data })
    if (present && change !== 'state') {
      const { name: title, currentStep } = present
      const document = { ...JSON.parse(data), name: title, state: 'running', current_step: currentStep }
      await foreign.setWorkflowState(id, 'running')
      await foreign.writeWorkflowText(id, change === 'cut' ? '{"cut' : `${JSON.stringify(document, null, 2)}\n`)
    } else {
      // On files this lays the document out anew: from here on the same state is the same text, as it is elsewhere.
      await foreign.setWorkflowState(id, given)
    }
    return answer('written')
  },
)

export const workflowOperations = [...writing, ...repeated(writing[0], 4), ...reading, foreign, foreign]

export const workflowAnswers = {
  'workflows.save': ['saved', 'conflict', 'invalid', 'corrupt'],
  'workflows.delete': ['deleted', 'conflict', 'absent'],
  'workflows.load': ['found', 'null', 'corrupt'],
  'workflows.list': ['page', 'last page', 'invalid'],
  'workflows.list updatedBefore': ['last page'],
  'workflows.counts': ['counted'],
}
