import type { Claim } from '@nexus/core'
import fc from 'fast-check'
import { answer, answerOf, unordered } from './answer.ts'
import { halfMinute } from './inbox-queue.ts'
import { killWorker, shownClaims, workerName } from './inbox-tasks.ts'
import { anyActor, type Operation, operation, repeated } from './operation.ts'
import type { Side } from './side.ts'

/** Of the claims that were ever handed out mostly a late one; sometimes with a wrong epoch or another worker. */
const handle = fc.record({
  back: fc.oneof({ arbitrary: fc.nat(3), weight: 5 }, { arbitrary: fc.nat(40), weight: 1 }),
  twist: fc.oneof(
    { arbitrary: fc.constant(null), weight: 12 },
    { arbitrary: fc.constantFrom('epoch', 'worker'), weight: 1 },
  ),
})
type Handle = { back: number; twist: string | null }

const claimOf = (side: Side, { back, twist }: Handle): Claim => {
  const claim = side.claim(back) ?? { id: '999999', epoch: 1, worker: 'nobody' }
  if (twist === 'epoch') return { ...claim, epoch: claim.epoch + 1 }
  return twist === 'worker' ? { ...claim, worker: 'somebody else' } : claim
}

const laterBy = (side: Side, ms: number | null) =>
  ms === null ? {} : { retryAt: new Date(side.harness.clock.now() + ms) }

const retryIn = fc.oneof(
  { arbitrary: fc.constantFrom(null, null, halfMinute, -halfMinute), weight: 16 },
  { arbitrary: fc.constant(Number.NaN), weight: 1 },
)

const holding: fc.Arbitrary<Operation>[] = [
  operation(
    'inbox.bind',
    fc.record({
      actor: anyActor,
      handle,
      issueNumber: fc.oneof(
        { arbitrary: fc.constantFrom('7', '8'), weight: 12 },
        { arbitrary: fc.constant('a/b'), weight: 1 },
      ),
    }),
    (side, { actor, handle: given, issueNumber }) =>
      answerOf(async () => {
        const result = await side.actor(actor).inbox.bind(claimOf(side, given), { issueNumber })
        return answer(result.status, { ...result })
      }),
  ),
  operation(
    'inbox.heartbeat',
    fc.record({ actor: anyActor, handles: fc.array(handle, { minLength: 1, maxLength: 2 }) }),
    (side, { actor, handles }) =>
      answerOf(async () => {
        const claims = handles.map((given) => claimOf(side, given))
        const { lost, cancelRequested } = await side.actor(actor).inbox.heartbeat(claims)
        const nth = (claim: Claim) =>
          claims.findIndex((c) => c.id === claim.id && c.epoch === claim.epoch && c.worker === claim.worker)
        const kind = lost.length > 0 ? 'lost' : cancelRequested.length > 0 ? 'cancel requested' : 'renewed'
        return answer(kind, { lost: lost.map(nth), cancelRequested: cancelRequested.map(nth) })
      }),
  ),
  operation('inbox.complete', fc.record({ actor: anyActor, handle }), (side, { actor, handle: given }) =>
    answerOf(async () => answer((await side.actor(actor).inbox.complete(claimOf(side, given))).status)),
  ),
  operation(
    'inbox.fail',
    fc.record({
      actor: anyActor,
      handle,
      error: fc.constantFrom(...repeated('it broke', 15), 'ü', '\0'),
      retryIn,
      fatal: fc.constantFrom(false, false, true),
    }),
    (side, { actor, handle: given, error, retryIn: ms, fatal }) =>
      answerOf(async () => {
        const options = { fatal, ...laterBy(side, ms) }
        const result = await side.actor(actor).inbox.fail(claimOf(side, given), error, options)
        // The delay is seconds and random: whatever comes next is later than both.
        if (ms === null) await side.harness.advance(2 * halfMinute)
        return answer(result.status, { attempts: 'attempts' in result ? result.attempts : null })
      }),
  ),
  operation(
    'inbox.release',
    fc.record({ actor: anyActor, handle, retryIn }),
    (side, { actor, handle: given, retryIn: ms }) =>
      answerOf(async () =>
        answer((await side.actor(actor).inbox.release(claimOf(side, given), laterBy(side, ms))).status),
      ),
  ),
]

const taskOf = (side: Side, nth: number): string => {
  const names = side.tasks.known()
  return side.tasks.id(names[nth % Math.max(1, names.length)] ?? '') ?? '999999'
}

/** The task of a late claim, or any: what is held is cancelled too. */
const target = fc.oneof(
  fc.nat(3).map((back) => ({ back, nth: null })),
  fc.nat(99).map((nth) => ({ back: null, nth })),
)
const idOf = (side: Side, { back, nth }: { back: number | null; nth: number | null }): string =>
  back === null ? taskOf(side, nth ?? 0) : (side.claim(back)?.id ?? '999999')

/** One of the dead letters, the oldest first by when it was enqueued. */
const deadLetter = async (side: Side, nth: number): Promise<string> => {
  const { items } = await side.harness.backend.inbox.list({ status: 'failed', limit: 1000 })
  const inOrder = items.sort((a, b) => (a.markdown < b.markdown ? -1 : 1))
  return inOrder[nth % Math.max(1, inOrder.length)]?.id ?? '999999'
}

const operating: fc.Arbitrary<Operation>[] = [
  operation(
    'inbox.requeue',
    fc.record({ actor: anyActor, target, nth: fc.nat(20), isDead: fc.boolean() }),
    (side, { actor, target: given, nth, isDead }) =>
      answerOf(async () => {
        const id = isDead ? await deadLetter(side, nth) : idOf(side, given)
        const result = await side.actor(actor).inbox.requeue(id)
        const twin = 'id' in result ? await side.tasks.name(result.id) : null
        return answer(result.status, { twin, is: 'is' in result ? result.is : null })
      }),
  ),
  operation('inbox.cancel', fc.record({ actor: anyActor, target }), (side, { actor, target: given }) =>
    answerOf(async () => {
      const result = await side.actor(actor).inbox.cancel(idOf(side, given))
      return answer(result.status, { is: 'is' in result ? result.is : null })
    }),
  ),
  operation(
    'inbox.purge',
    fc.record({
      actor: anyActor,
      age: fc.constantFrom(9 * halfMinute, 9 * halfMinute, 5 * halfMinute, 3 * halfMinute, -halfMinute, Number.NaN),
      status: fc.constantFrom(undefined, 'done', 'failed'),
    }),
    (side, { actor, age, status }) =>
      answerOf(async () => {
        const olderThan = new Date(side.harness.clock.now() - age)
        const { purged } = await side.actor(actor).inbox.purge({ olderThan, ...(status && { status }) } as never)
        return answer(purged > 0 ? 'purged' : 'nothing', purged)
      }),
  ),
]

const swept = async (side: Side, actor: number) => {
  const { freed, failed } = await side.actor(actor).inbox.sweep()
  const names = async (ids: string[]) => {
    const found = []
    for (const id of ids) found.push(await side.tasks.name(id))
    return found.sort()
  }
  return { freed: await names(freed), failed: await names(failed) }
}

const recovering: fc.Arbitrary<Operation>[] = [
  operation('inbox.sweep', fc.record({ actor: anyActor, waits: fc.boolean() }), (side, { actor, waits }) =>
    answerOf(async () => {
      const first = await swept(side, actor)
      if (waits) await side.harness.advance(4 * halfMinute)
      const second = waits ? await swept(side, actor) : { freed: [], failed: [] }
      return answer(first.freed.length + second.freed.length > 0 ? 'freed' : 'nothing', [first, second])
    }),
  ),
  operation(
    'inbox.resume',
    fc.record({
      actor: anyActor,
      worker: fc.nat(2),
      leaseMs: fc.oneof(
        { arbitrary: fc.constant(3 * halfMinute), weight: 9 },
        { arbitrary: fc.constantFrom(0, Number.NaN), weight: 1 },
      ),
      dies: fc.constantFrom(null, null, 0, 1, 2),
    }),
    (side, { actor, worker, leaseMs, dies }) =>
      answerOf(async () => {
        if (dies !== null) killWorker(side, dies)
        const resumed = await side.actor(actor).inbox.resume({ worker: workerName(side, worker), leaseMs })
        const shown = unordered(shownClaims(side, resumed))
        return answer(shown.length === 0 ? 'nothing' : 'resumed', shown)
      }),
  ),
]

/** A holder that dies each time it is given the task. */
const crashLoop = operation('inbox crash loop', fc.record({ actor: anyActor }), (side, { actor }) =>
  answerOf(async () => {
    const resumed = []
    for (let turn = 0; turn < 22; turn += 1) {
      for (const worker of [0, 1, 2]) killWorker(side, worker)
      const answered = await side.actor(actor).inbox.resume({ worker: workerName(side, 0), leaseMs: halfMinute })
      resumed.push(answered.length)
      if (turn === 21) shownClaims(side, answered)
    }
    return answer(resumed[0] === 0 ? 'nothing' : 'looped', resumed)
  }),
)

const [requeue, cancel] = operating

export const inboxHoldOperations = [
  ...holding,
  ...holding,
  ...repeated(holding[0], 3),
  ...operating,
  ...repeated(requeue, 3),
  ...repeated(cancel, 2),
  ...recovering,
]
export const rareOperations = [crashLoop]

export const inboxHoldAnswers = {
  'inbox.bind': ['bound', 'busy', 'lease-lost', 'invalid'],
  'inbox.heartbeat': ['renewed', 'lost', 'cancel requested'],
  'inbox.complete': ['done', 'lease-lost'],
  'inbox.fail': ['retrying', 'failed', 'lease-lost', 'invalid'],
  'inbox.release': ['released', 'lease-lost', 'invalid'],
  'inbox.requeue': ['requeued', 'refused', 'duplicate', 'absent'],
  'inbox.cancel': ['cancelled', 'requested', 'refused', 'absent'],
  'inbox.purge': ['purged', 'nothing', 'invalid'],
  'inbox.sweep': ['freed', 'nothing'],
  'inbox.resume': ['resumed', 'nothing', 'invalid'],
}
