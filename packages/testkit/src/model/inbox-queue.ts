import type { EnqueueTask } from '@nexus/core'
import fc from 'fast-check'
import { answer, answerOf, unordered } from './answer.ts'
import { shownClaims, shownTask, taskOf, workerName } from './inbox-tasks.ts'
import { anyActor, foreignProject, type OperationKind, operation, pageLimits, projects, seldom } from './operation.ts'

/** Half of a step in which time advances, and longer than any sequence takes: a slow machine makes nothing due too early. */
export const halfStep = 30 * 60_000

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

const taskFaults = {
  none: {},
  project: { project: 'a/b' },
  colon: { project: 'a:b' },
  filename: { filename: '' },
  priority: { priority: 101 },
  nul: { markdown: '\0' },
  lone: { markdown: '\udc00' },
  maxAttempts: { maxAttempts: 0 },
  key: { idempotencyKey: '' },
  never: { runAt: new Date(Number.NaN) },
} satisfies Record<string, Partial<EnqueueTask>>

const faultOf = <F extends object>(faults: F, onceIn: number): fc.Arbitrary<keyof F | 'none'> => {
  const names = Object.keys(faults) as (keyof F)[]
  return seldom<keyof F | 'none'>(fc.constant('none'), fc.constantFrom(...names), { onceIn })
}

const task = fc.record({
  name: fc.oneof({ arbitrary: ownTask, weight: 4 }, { arbitrary: besideForeign, weight: 1 }),
  idempotencyKey: fc.constantFrom(null, null, null, 'k1', 'k2', 'k3'),
  dueIn: fc.constantFrom(undefined, undefined, -halfStep, halfStep),
  maxAttempts: fc.constantFrom(1, 2, 3),
  issueNumber: fc.constantFrom(null, null, '7'),
  fault: faultOf(taskFaults, 21),
})

const enqueue = operation({
  verb: 'inbox.enqueue',
  weight: 75,
  input: fc.record({ actor: anyActor, tasks: fc.array(task, { minLength: 1, maxLength: 3 }) }),
  run: (side, { actor, tasks }) =>
    answerOf(async () => {
      const given = tasks.map(({ name, dueIn, fault, ...fields }, n) => ({
        ...name,
        ...fields,
        markdown: `task ${side.step}.${n}`,
        ...(dueIn === undefined ? {} : { runAt: new Date(side.harness.clock.now() + dueIn) }),
        ...taskFaults[fault],
      }))
      const results = await side.actor(actor).inbox.enqueue(given)
      for (const [n, { status, id }] of results.entries())
        if (status === 'enqueued') side.tasks.saw(id, given[n]?.markdown ?? '')
      const shown = []
      for (const { status, id } of results) shown.push(`${status} ${await side.tasks.name(id)}`)
      return answer(results.some(({ status }) => status === 'duplicate') ? 'duplicate' : 'enqueued', shown)
    }),
})

const maxPerProject = fc.constantFrom(undefined, undefined, 1, 2)

const claimFaults = {
  none: {},
  limit: { limit: 0 },
  fraction: { limit: 1.5 },
  lease: { leaseMs: 0 },
  never: { leaseMs: Number.NaN },
  worker: { worker: '' },
  nul: { worker: 'nul\0' },
  cap: { maxPerProject: 0 },
  capFraction: { maxPerProject: 1.5 },
}

/**
 * Which of equally busy projects comes first is each claimer's own memory, and what others made has times of its own:
 * both are claimed whole.
 */
const claim = operation({
  verb: 'inbox.claim',
  weight: 80,
  input: fc.record({
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
    leaseMs: fc.constantFrom(halfStep, 3 * halfStep),
    fault: faultOf(claimFaults, 21),
  }),
  run: (side, { actor, worker, of, leaseMs, fault }) =>
    answerOf(async () => {
      const request = { worker: workerName(side, worker), leaseMs, ...of, ...claimFaults[fault] }
      const claimed = shownClaims(side, await side.actor(actor).inbox.claim(request))
      return answer(claimed.length === 0 ? 'nothing' : 'claimed', of.limit === 100 ? unordered(claimed) : claimed)
    }),
})

const anyStatus = fc.constantFrom('pending', 'processing', 'done', 'failed', 'dreaming', undefined)

const reading: OperationKind[] = [
  operation({
    verb: 'inbox.list',
    weight: 26,
    input: fc.record({
      actor: anyActor,
      project: anyProject,
      status: anyStatus,
      limit: seldom(pageLimits, fc.constant(0), { onceIn: 10 }),
      cursor: seldom(fc.constant(undefined), fc.constantFrom('', 'of nobody'), { onceIn: 20 }),
    }),
    run: (side, { actor, project, status, limit, cursor: wrong }) =>
      answerOf(async () => {
        const cursor = wrong === undefined ? {} : { cursor: wrong }
        const ask = (request: object) => side.actor(actor).inbox.list({ project, status, ...request, ...cursor })
        const { items, corrupt, cursor: next } = await side.page(`inbox ${project} ${status}`, limit, ask)
        const detail = { items: items.map((item) => shownTask(side, item)), corrupt: corrupt.length }
        return answer(next === null ? 'last page' : 'page', detail)
      }),
  }),
  operation({
    verb: 'inbox.list all',
    weight: 24,
    input: fc.record({ actor: anyActor, status: anyStatus }),
    run: (side, { actor, status }) =>
      answerOf(async () => {
        const { items, corrupt } = await side.actor(actor).inbox.list({ status, limit: 1000 })
        const detail = { items: unordered(items.map((item) => shownTask(side, item))), corrupt: corrupt.length }
        return answer('last page', detail)
      }),
  }),
  operation({
    verb: 'inbox.counts',
    weight: 24,
    input: fc.record({ actor: anyActor }),
    run: (side, { actor }) => answerOf(async () => answer('counted', { ...(await side.actor(actor).inbox.counts()) })),
  }),
  operation({
    verb: 'inbox.oldestDue',
    weight: 12,
    input: fc.record({ actor: anyActor }),
    run: (side, { actor }) =>
      answerOf(async () => answer((await side.actor(actor).inbox.oldestDue()) === null ? 'null' : 'due')),
  }),
  operation({
    verb: 'inbox.load',
    weight: 26,
    input: fc.record({ actor: anyActor, nth: fc.nat(99) }),
    run: (side, { actor, nth }) =>
      answerOf(async () => {
        const found = await side.actor(actor).inbox.load(taskOf(side, nth))
        return found ? answer('found', shownTask(side, found)) : answer('null')
      }),
  }),
]

export const inboxQueueOperations = [enqueue, claim, ...reading]
