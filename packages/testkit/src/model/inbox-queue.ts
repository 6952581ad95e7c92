import type { EnqueueTask } from '@nexus/core'
import fc from 'fast-check'
import { answer, answerOf, unordered } from './answer.ts'
import { shownClaims, shownTask, workerName } from './inbox-tasks.ts'
import { anyActor, foreignProject, type Operation, operation, pageLimits, projects } from './operation.ts'

/** Half a minute off the steps in which time advances: a slow machine makes nothing due too early. */
export const halfMinute = 30_000

const anyProject = fc.constantFrom(...projects)
const ownTask = fc.record({
  project: anyProject,
  workspace: fc.constantFrom('', '/srv'),
  filename: fc.constantFrom('a.md', 'b.md', 'c.txt'),
  priority: fc.constantFrom(0, 0, 5),
})
/** Before what others put there, so that their files' own times decide nothing. */
const besideForeign = fc.record({
  project: fc.constant(foreignProject),
  workspace: fc.constant(''),
  filename: fc.constantFrom('h0.md', 'h1.md', 'h2.md', 'h3.md'),
  priority: fc.constant(10),
})
const task = fc.record({
  name: fc.oneof({ arbitrary: ownTask, weight: 4 }, { arbitrary: besideForeign, weight: 1 }),
  idempotencyKey: fc.constantFrom(null, null, null, 'k1', 'k2', 'k3'),
  dueIn: fc.constantFrom(undefined, undefined, -halfMinute, halfMinute),
  maxAttempts: fc.constantFrom(1, 2, 3),
  issueNumber: fc.constantFrom(null, null, '7'),
  fault: fc.oneof(
    { arbitrary: fc.constant<Partial<EnqueueTask>>({}), weight: 30 },
    {
      arbitrary: fc.constantFrom<Partial<EnqueueTask>[]>(
        { project: 'a/b' },
        { filename: '' },
        { priority: 101 },
        { markdown: '\0' },
        { maxAttempts: 0 },
        { idempotencyKey: '' },
        { runAt: new Date(Number.NaN) },
      ),
      weight: 1,
    },
  ),
})

const enqueue = operation(
  'inbox.enqueue',
  fc.record({ actor: anyActor, tasks: fc.array(task, { minLength: 1, maxLength: 3 }) }),
  (side, { actor, tasks }) =>
    answerOf(async () => {
      const given = tasks.map(({ name, dueIn, fault, ...fields }, n) => ({
        ...name,
        ...fields,
        markdown: `task ${side.step}.${n}`,
        ...(dueIn === undefined ? {} : { runAt: new Date(side.harness.clock.now() + dueIn) }),
        ...fault,
      }))
      const results = await side.actor(actor).inbox.enqueue(given)
      for (const [n, { status, id }] of results.entries())
        if (status === 'enqueued') side.tasks.saw(id, given[n]?.markdown ?? '')
      const shown = []
      for (const { status, id } of results) shown.push(`${status} ${await side.tasks.name(id)}`)
      return answer(results.some(({ status }) => status === 'duplicate') ? 'duplicate' : 'enqueued', shown)
    }),
)

const maxPerProject = fc.constantFrom(undefined, undefined, 1, 2)

const fault = fc.oneof(
  { arbitrary: fc.constant({}), weight: 20 },
  {
    arbitrary: fc.constantFrom<object[]>(
      { limit: 0 },
      { limit: 1.5 },
      { leaseMs: 0 },
      { leaseMs: Number.NaN },
      { worker: '' },
      { maxPerProject: 0 },
      { maxPerProject: 1.5 },
    ),
    weight: 1,
  },
)

/**
 * Which of equally busy projects comes first is each claimer's own memory, and what others made has times of its own:
 * both are claimed whole.
 */
const claim = operation(
  'inbox.claim',
  fc.record({
    actor: anyActor,
    worker: fc.nat(2),
    of: fc.oneof(
      fc.record({ projects: anyProject.map((one) => [one]), limit: fc.constantFrom(1, 1, 2, 3), maxPerProject }),
      fc.record({ projects: fc.constant(['alpha', 'beta']), limit: fc.constant(100), maxPerProject }),
      fc.record({
        projects: fc.constantFrom(undefined, [foreignProject], []),
        limit: fc.constant(100),
        maxPerProject: fc.constant(undefined),
      }),
    ),
    leaseMs: fc.constantFrom(halfMinute, 3 * halfMinute),
    fault,
  }),
  (side, { actor, worker, of, leaseMs, fault: wrong }) =>
    answerOf(async () => {
      const request = { worker: workerName(side, worker), leaseMs, ...of, ...wrong }
      const claimed = shownClaims(side, await side.actor(actor).inbox.claim(request))
      return answer(claimed.length === 0 ? 'nothing' : 'claimed', of.limit === 100 ? unordered(claimed) : claimed)
    }),
)

const anyStatus = fc.constantFrom('pending', 'processing', 'done', 'failed', 'dreaming', undefined)

const reading: fc.Arbitrary<Operation>[] = [
  operation(
    'inbox.list',
    fc.record({
      actor: anyActor,
      project: anyProject,
      status: anyStatus,
      limit: fc.oneof({ arbitrary: pageLimits, weight: 9 }, { arbitrary: fc.constant(0), weight: 1 }),
    }),
    (side, { actor, project, status, limit }) =>
      answerOf(async () => {
        const ask = (request: object) => side.actor(actor).inbox.list({ project, status, ...request })
        const { items, corrupt, cursor } = await side.page(`inbox ${project} ${status}`, limit, ask)
        const detail = { items: items.map((item) => shownTask(side, item)), corrupt: corrupt.length }
        return answer(cursor === null ? 'last page' : 'page', detail)
      }),
  ),
  operation('inbox.list all', fc.record({ actor: anyActor, status: anyStatus }), (side, { actor, status }) =>
    answerOf(async () => {
      const { items, corrupt } = await side.actor(actor).inbox.list({ status, limit: 1000 })
      const detail = { items: unordered(items.map((item) => shownTask(side, item))), corrupt: corrupt.length }
      return answer('last page', detail)
    }),
  ),
  operation('inbox.counts', fc.record({ actor: anyActor }), (side, { actor }) =>
    answerOf(async () => answer('counted', { ...(await side.actor(actor).inbox.counts()) })),
  ),
  operation('inbox.load', fc.record({ actor: anyActor, nth: fc.nat(99) }), (side, { actor, nth }) =>
    answerOf(async () => {
      const names = side.tasks.known()
      const id = side.tasks.id(names[nth % Math.max(1, names.length)] ?? '')
      const found = await side.actor(actor).inbox.load(id ?? '999999')
      return found ? answer('found', shownTask(side, found)) : answer('null')
    }),
  ),
]

/** Each name once: where a file of that name lies already, the same write is an edit on files and a second row elsewhere. */
const foreign = operation('inbox foreign insert', fc.record({ n: fc.nat(3) }), async (side, { n }) => {
  const filename = `h${n}.md`
  if (side.used.has(filename)) return answer('left')
  side.used.add(filename)
  await side.harness.foreign.insertInboxTask({ project: foreignProject, filename, markdown: `task ${side.step}.h` })
  return answer('written')
})

export const inboxQueueOperations = [enqueue, enqueue, enqueue, claim, claim, claim, ...reading, foreign]

export const inboxQueueAnswers = {
  'inbox.enqueue': ['enqueued', 'duplicate', 'invalid'],
  'inbox.claim': ['claimed', 'nothing', 'invalid'],
  'inbox.list': ['page', 'last page', 'invalid'],
  'inbox.counts': ['counted'],
  'inbox.load': ['found', 'null'],
}
