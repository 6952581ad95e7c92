import fc from 'fast-check'
import { answer, answerOf } from './answer.ts'
import { halfStep } from './inbox-queue.ts'
import { idOf, type Target } from './inbox-tasks.ts'
import { anyActor, type OperationKind, operation } from './operation.ts'
import type { Side } from './side.ts'

/** What is held as well as what is not. */
export const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  fc.nat(3).map((back) => ({ back, nth: null })),
  fc.nat(99).map((nth) => ({ back: null, nth })),
)

/** One of the dead letters, the oldest first by when it was enqueued. */
const deadLetter = async (side: Side, nth: number): Promise<string> => {
  const { items } = await side.actor(0).inbox.list({ status: 'failed', limit: 1000 })
  const inOrder = items.sort((a, b) => (a.markdown < b.markdown ? -1 : 1))
  return inOrder[nth % Math.max(1, inOrder.length)]?.id ?? '999999'
}

const ages = { old: 9 * halfStep, middle: 5 * halfStep, young: 3 * halfStep, any: -halfStep, never: Number.NaN }

/** What a person does. */
export const inboxOperatorOperations: OperationKind[] = [
  operation({
    verb: 'inbox.requeue',
    weight: 100,
    input: fc.record({ actor: anyActor, target: anyTarget, nth: fc.nat(20), isDead: fc.boolean() }),
    run: (side, { actor, target, nth, isDead }) =>
      answerOf(async () => {
        const id = isDead ? await deadLetter(side, nth) : idOf(side, target)
        const result = await side.actor(actor).inbox.requeue(id)
        const twin = 'id' in result ? await side.tasks.name(result.id) : null
        return answer(result.status, { twin, is: 'is' in result ? result.is : null })
      }),
  }),
  operation({
    verb: 'inbox.cancel',
    weight: 55,
    input: fc.record({ actor: anyActor, target: anyTarget }),
    run: (side, { actor, target }) =>
      answerOf(async () => {
        const result = await side.actor(actor).inbox.cancel(idOf(side, target))
        return answer(result.status, { is: 'is' in result ? result.is : null })
      }),
  }),
  operation({
    verb: 'inbox.purge',
    weight: 18,
    input: fc.record({
      actor: anyActor,
      age: fc.constantFrom<(keyof typeof ages)[]>('old', 'old', 'middle', 'young', 'any', 'never'),
      status: fc.constantFrom(undefined, 'done', 'failed'),
    }),
    run: (side, { actor, age, status }) =>
      answerOf(async () => {
        const olderThan = new Date(side.harness.clock.now() - ages[age])
        const { purged } = await side.actor(actor).inbox.purge({ olderThan, ...(status && { status }) } as never)
        return answer(purged > 0 ? 'purged' : 'nothing', purged)
      }),
  }),
]
