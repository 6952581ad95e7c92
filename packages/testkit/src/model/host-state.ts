import type { HostStateEntry, JsonValue } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf } from './answer.ts'
import { anyActor, type Operation, operation, pageLimits, repeated } from './operation.ts'
import type { Side } from './side.ts'

const keys = ['launched_agents', 'tracked_issues', 'a'] as const
const key = fc.oneof({ arbitrary: fc.constantFrom(...keys), weight: 5 }, { arbitrary: fc.constant('../no'), weight: 1 })
const presentKey = fc.constantFrom(...keys)
const guard = fc.constantFrom('plain', 'plain', 'plain', 'absent', 'current', 'current', 'stale')
const member = fc.constantFrom('a', 'b', '__proto__')

/** Each value occurs once, so that a rev names one save on every backend. */
const valueFor = (kind: 'object' | 'list' | 'text' | 'invalid', step: number): JsonValue => {
  if (kind === 'invalid') return { n: Number.NaN }
  if (kind === 'text') return `${step}`
  return kind === 'list' ? [step] : { a: step, deep: { list: [1, 'ü', null] } }
}
const kind = fc.constantFrom('object', 'object', 'object', 'list', 'text', 'invalid')

const record = (name: string): string => `state/${name}`

const shown = (entry: HostStateEntry | null, side: Side): Answer => {
  if (!entry) return answer('null')
  side.sawRev(record(entry.key), entry.rev)
  return answer('found', { key: entry.key, value: JSON.stringify(entry.value) })
}

const saved = (side: Side, name: string, result: { status: string; rev?: string | null; current?: string | null }) => {
  side.sawRev(record(name), result.rev ?? result.current ?? null)
  return answer(result.status, { hasRev: (result.rev ?? result.current ?? null) !== null })
}

const saw = (side: Side, name: string) => (rev: string) => side.sawRev(record(name), rev)

const writing: fc.Arbitrary<Operation>[] = [
  operation(
    'hostState.save',
    fc.record({ actor: anyActor, key, guard, kind }),
    (side, { actor, key: name, guard, kind }) =>
      answerOf(
        async () =>
          saved(
            side,
            name,
            await side.actor(actor).hostState.save(name, valueFor(kind, side.step), side.guard(record(name), guard)),
          ),
        saw(side, name),
      ),
  ),
  operation(
    'hostState.patch',
    fc.record({
      actor: anyActor,
      key,
      set: fc.array(member, { maxLength: 2 }),
      remove: fc.array(member, { maxLength: 1 }),
    }),
    (side, { actor, key: name, set, remove }) =>
      answerOf(
        async () => {
          const entries = Object.fromEntries(['n', ...set].map((m) => [m, side.step]))
          return saved(side, name, await side.actor(actor).hostState.patch(name, { entries, remove }))
        },
        saw(side, name),
      ),
  ),
  operation(
    'hostState.update',
    fc.record({ actor: anyActor, key, stays: fc.boolean() }),
    (side, { actor, key: name, stays }) =>
      answerOf(
        async () => {
          const change = (value: JsonValue | null) =>
            stays ? undefined : { was: JSON.stringify(value).length, n: side.step }
          const result = await side.actor(actor).hostState.update(name, change)
          return saved(side, name, result)
        },
        saw(side, name),
      ),
  ),
  operation(
    'hostState.delete',
    fc.record({ actor: anyActor, key: presentKey, guard: fc.constantFrom('plain', 'current', 'stale') }),
    (side, { actor, key: name, guard }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(record(name), guard)
        return saved(side, name, await side.actor(actor).hostState.delete(name, ifRev ? { ifRev } : {}))
      }),
  ),
]

const reading: fc.Arbitrary<Operation>[] = [
  operation('hostState.load', fc.record({ actor: anyActor, key }), (side, { actor, key: name }) =>
    answerOf(async () => shown(await side.actor(actor).hostState.load(name), side), saw(side, name)),
  ),
  operation(
    'hostState.keys',
    fc.record({
      actor: anyActor,
      limit: fc.oneof({ arbitrary: pageLimits, weight: 9 }, { arbitrary: fc.constant(0), weight: 1 }),
    }),
    (side, { actor, limit }) =>
      answerOf(async () => {
        const page = await side.page('keys', limit, (request) => side.actor(actor).hostState.keys(request))
        return answer(page.cursor === null ? 'last page' : 'page', { items: page.items })
      }),
  ),
]

/** Another program writes JSON of its own, or something that is none. */
const foreign = operation(
  'hostState foreign write',
  fc.record({ key: presentKey, text: fc.constantFrom('{"f": N}', '[N]', '{"cut N', '') }),
  async (side, { key: name, text }) => {
    const written = text.replace('N', String(side.step))
    const { items } = await side.harness.backend.hostState.keys({ limit: 1000 })
    if (items.includes(name)) await side.harness.foreign.writeHostStateText(name, written)
    else await side.harness.foreign.insertHostState(name, written)
    return answer('written')
  },
)

export const hostStateOperations = [...writing, ...repeated(writing[0], 2), ...reading, ...reading, foreign, foreign]

export const hostStateAnswers = {
  'hostState.save': ['saved', 'conflict', 'invalid', 'corrupt'],
  'hostState.patch': ['saved', 'not-object', 'invalid', 'corrupt'],
  'hostState.update': ['saved', 'unchanged', 'invalid', 'corrupt'],
  'hostState.delete': ['deleted', 'conflict', 'absent'],
  'hostState.load': ['found', 'null', 'corrupt'],
  'hostState.keys': ['page', 'last page', 'invalid'],
}
