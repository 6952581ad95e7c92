import type { Claim } from '@nexus/core'
import fc from 'fast-check'
import { answer, answerOf, unordered } from './answer.ts'
import { halfStep } from './inbox-queue.ts'
import { killWorker, shownClaims, workerName } from './inbox-tasks.ts'
import { anyActor, type OperationKind, operation, projects, seldom } from './operation.ts'
import type { Side } from './side.ts'

/** One that still holds its task, or a late one; sometimes with an epoch that never was, another worker or task. */
const handle = fc.record({
  back: seldom(fc.nat(3), fc.nat(40), { onceIn: 6 }),
  isHeld: fc.boolean(),
  twist: seldom(fc.constant(null), fc.constantFrom('epoch', 'worker', 'id'), { onceIn: 13 }),
})
type Handle = { back: number; isHeld: boolean; twist: string | null }

/** The claims of what is in processing, the latest last. */
const heldClaims = async (side: Side): Promise<Claim[]> => {
  const { items } = await side.actor(0).inbox.list({ status: 'processing', limit: 1000 })
  const ids = new Set(items.map(({ id }) => id))
  const latest = new Map(side.claims.map((claim, n) => [claim.id, n]))
  return side.claims.filter(({ id }, n) => ids.has(id) && latest.get(id) === n)
}

const claimOf = async (side: Side, { back, isHeld, twist }: Handle): Promise<Claim> => {
  const claims = isHeld ? await heldClaims(side) : side.claims
  const claim = claims.at(-1 - (back % Math.max(1, claims.length))) ?? { id: '999999', epoch: 1, worker: 'nobody' }
  if (twist === 'epoch') return { ...claim, epoch: claim.epoch + 1000 }
  if (twist === 'id') return { ...claim, id: '../nul\0' }
  return twist === 'worker' ? { ...claim, worker: 'somebody else' } : claim
}

const delays = { none: null, later: halfStep, earlier: -halfStep, never: Number.NaN }

const retryIn = seldom<keyof typeof delays>(fc.constantFrom('none', 'none', 'later', 'earlier'), fc.constant('never'), {
  onceIn: 17,
})

const retryAt = (side: Side, delay: keyof typeof delays) => {
  const ms = delays[delay]
  return ms === null ? {} : { retryAt: new Date(side.harness.clock.now() + ms) }
}

const holding: OperationKind[] = [
  operation({
    verb: 'inbox.bind',
    weight: 110,
    input: fc.record({
      actor: anyActor,
      handle,
      issueNumber: seldom(fc.constantFrom('7', '8'), fc.constantFrom('a/b', '\0', ''), { onceIn: 13 }),
    }),
    run: (side, { actor, handle: given, issueNumber }) =>
      answerOf(async () => {
        const result = await side.actor(actor).inbox.bind(await claimOf(side, given), { issueNumber })
        return answer(result.status, { ...result })
      }),
  }),
  operation({
    verb: 'inbox.heartbeat',
    weight: 60,
    input: fc.record({ actor: anyActor, handles: fc.oneof(fc.tuple(handle), fc.tuple(handle, handle)) }),
    run: (side, { actor, handles }) =>
      answerOf(async () => {
        const claims = await Promise.all(handles.map((given) => claimOf(side, given)))
        const { lost, cancelRequested } = await side.actor(actor).inbox.heartbeat(claims)
        const nth = (claim: Claim) =>
          claims.findIndex((c) => c.id === claim.id && c.epoch === claim.epoch && c.worker === claim.worker)
        const kind = lost.length > 0 ? 'lost' : cancelRequested.length > 0 ? 'cancel requested' : 'renewed'
        return answer(kind, { lost: lost.map(nth), cancelRequested: cancelRequested.map(nth) })
      }),
  }),
  operation({
    verb: 'inbox.complete',
    weight: 42,
    input: fc.record({ actor: anyActor, handle }),
    run: (side, { actor, handle: given }) =>
      answerOf(async () => answer((await side.actor(actor).inbox.complete(await claimOf(side, given))).status)),
  }),
  operation({
    verb: 'inbox.fail',
    weight: 48,
    input: fc.record({
      actor: anyActor,
      handle,
      error: seldom(fc.constant('it broke'), fc.constantFrom('ü', '\0', '\ud800'), { onceIn: 12 }),
      retryIn,
      fatal: fc.constantFrom(false, false, true),
    }),
    run: (side, { actor, handle: given, error, retryIn: delay, fatal }) =>
      answerOf(async () => {
        const options = { fatal, ...retryAt(side, delay) }
        const result = await side.actor(actor).inbox.fail(await claimOf(side, given), error, options)
        // The delay is seconds and random: whatever comes next is later than both.
        if (delay === 'none') await side.harness.advance(2 * halfStep)
        return answer(result.status, { attempts: 'attempts' in result ? result.attempts : null })
      }),
  }),
  operation({
    verb: 'inbox.release',
    weight: 42,
    input: fc.record({ actor: anyActor, handle, retryIn }),
    run: (side, { actor, handle: given, retryIn: delay }) =>
      answerOf(async () =>
        answer((await side.actor(actor).inbox.release(await claimOf(side, given), retryAt(side, delay))).status),
      ),
  }),
]

const spreeStep = fc.record({
  actor: anyActor,
  nth: fc.nat(2),
  does: fc.constantFrom('7', '7', '8', '8', 'release', 'cancel'),
})

/** Holders that vie for two issues, bind anew, give back and are cancelled; then their process may die. */
const spree = operation({
  verb: 'inbox binding spree',
  weight: 16,
  input: fc.record({
    project: fc.constantFrom(...projects),
    steps: fc.array(spreeStep, { minLength: 4, maxLength: 8, size: 'max' }),
    dies: fc.boolean(),
  }),
  run: (side, { project, steps, dies }) =>
    answerOf(async () => {
      const { inbox } = side.actor(0)
      const names = [0, 1, 2].map((n) => ({ filename: `${n}.md`, markdown: `task ${side.step}.${n}.spree` }))
      const place = { project, workspace: `${side.step}`, priority: 100 }
      await inbox.enqueue(names.map((name, n) => ({ ...name, ...place, issueNumber: n === 2 ? '7' : null })))
      const lease = { worker: workerName(side, 0), leaseMs: 3 * halfStep }
      const claimed = await inbox.claim({ ...lease, projects: [project], limit: 3 })
      shownClaims(side, claimed)
      const held = claimed.sort((a, b) => (a.markdown < b.markdown ? -1 : 1))
      const answers = []
      for (const { actor, nth, does } of steps) {
        const { inbox: one } = side.actor(actor)
        const { claim } = held[nth % held.length] ?? {}
        if (!claim) continue
        // What is given back comes after what was enqueued before, on a clock that stands still as well.
        side.harness.clock.advance(1)
        if (does === 'release') answers.push(await one.release(claim))
        else if (does === 'cancel') answers.push(await one.cancel(claim.id))
        else answers.push(await one.bind(claim, { issueNumber: does }))
      }
      if (dies) killWorker(side, 0)
      const resumed = dies ? await side.actor(1).inbox.resume({ ...lease, worker: workerName(side, 1) }) : []
      const detail = { answers: answers.map((one) => ({ ...one })), resumed: unordered(shownClaims(side, resumed)) }
      return answer('ended', detail)
    }),
})

const swept = async (side: Side, actor: number) => {
  const { freed, failed } = await side.actor(actor).inbox.sweep()
  const names = async (ids: string[]) => {
    const found = []
    for (const id of ids) found.push(await side.tasks.name(id))
    return found.sort()
  }
  return { freed: await names(freed), failed: await names(failed) }
}

const leases = { long: 3 * halfStep, none: 0, never: Number.NaN }

const recovering: OperationKind[] = [
  operation({
    verb: 'inbox.sweep',
    weight: 26,
    input: fc.record({ actor: anyActor, waits: fc.boolean(), beats: fc.boolean() }),
    run: (side, { actor, waits, beats }) =>
      answerOf(async () => {
        const first = await swept(side, actor)
        if (beats) await side.actor(actor).inbox.heartbeat((await heldClaims(side)).slice(-2))
        if (waits) await side.harness.advance(4 * halfStep)
        const second = waits ? await swept(side, actor) : { freed: [], failed: [] }
        const isEnd = first.failed.length + second.failed.length > 0
        const isFree = first.freed.length + second.freed.length > 0
        return answer(isEnd ? 'ended' : isFree ? 'freed' : 'nothing', [first, second])
      }),
  }),
  operation({
    verb: 'inbox.resume',
    weight: 30,
    input: fc.record({
      actor: anyActor,
      worker: fc.nat(2),
      lease: seldom<keyof typeof leases>(fc.constant('long'), fc.constantFrom('none', 'never'), { onceIn: 10 }),
      dies: fc.constantFrom(null, null, 0, 1, 2),
      unheard: fc.constantFrom(null, 0, 1, 2),
    }),
    run: (side, { actor, worker: nth, lease, dies, unheard }) =>
      answerOf(async () => {
        if (dies !== null) killWorker(side, dies)
        const worker = workerName(side, nth)
        const ids = (await heldClaims(side)).filter((claim) => claim.worker === worker).map(({ id }) => id)
        const held = unheard === null ? {} : { held: ids.slice(0, Math.max(0, ids.length - unheard)) }
        const request = { worker, leaseMs: leases[lease], ...held }
        const shown = unordered(shownClaims(side, await side.actor(actor).inbox.resume(request)))
        return answer(shown.length === 0 ? 'nothing' : 'resumed', shown)
      }),
  }),
]

/** A holder that dies each time it is given the task; the last one is found out by who resumes, or by the sweeper. */
const crashLoop = operation({
  verb: 'inbox crash loop',
  weight: 5,
  input: fc.record({ actor: anyActor, isSwept: fc.boolean() }),
  run: (side, { actor, isSwept }) =>
    answerOf(async () => {
      const resumed = []
      for (let turn = 0; turn < (isSwept ? 20 : 22); turn += 1) {
        for (const worker of [0, 1, 2]) killWorker(side, worker)
        const answered = await side.actor(actor).inbox.resume({ worker: workerName(side, 0), leaseMs: halfStep })
        resumed.push(answered.length)
        if (turn >= 19) shownClaims(side, answered)
      }
      const first = isSwept ? await swept(side, actor) : null
      if (isSwept) await side.harness.advance(4 * halfStep)
      const second = isSwept ? await swept(side, actor) : null
      return answer(resumed[0] === 0 ? 'nothing' : 'looped', { resumed, first, second })
    }),
})

export const inboxHoldOperations = [...holding, spree, ...recovering, crashLoop]
