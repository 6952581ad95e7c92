import type { HostStateEntry, JsonValue } from '@nexus/core'
import fc from 'fast-check'
import { type Answer, answer, answerOf } from './answer.ts'
import { type ExpectedAnswers, expectedOf } from './expected.ts'
import { anyActor, type OperationKind, operation, pageLimits, seldom } from './operation.ts'
import type { Side } from './side.ts'

const presentKey = fc.constantFrom('launched_agents', 'tracked_issues', 'a')
const key = seldom(presentKey, fc.constantFrom('../no', 'nul\0', '\ud800', ''), { onceIn: 8 })
const guard = fc.constantFrom('plain', 'plain', 'plain', 'absent', 'current', 'current', 'stale')
const member = fc.constantFrom('a', 'b', '__proto__')

/** Each value occurs once, so that a rev names one save on every backend. */
const values = {
  object: (step: number) => ({ a: step, deep: { list: [1, 'ü', null] } }),
  hostile: (step: number) => JSON.parse(`{"__proto__":{"x":${step}},"nul":"\\u0000","lone":"\\ud800","":1e300}`),
  list: (step: number) => [step],
  text: (step: number) => `${step}\u0000`,
  null: () => null,
  invalid: () => ({ n: Number.NaN }),
} satisfies Record<string, (step: number) => JsonValue>

const kind = fc.constantFrom<(keyof typeof values)[]>(
  'object',
  'object',
  'object',
  'hostile',
  'list',
  'text',
  'null',
  'invalid',
)

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

const writing: OperationKind[] = [
  operation({
    verb: 'hostState.save',
    weight: 54,
    input: fc.record({ actor: anyActor, key, guard, kind }),
    run: (side, { actor, key: name, guard: by, kind: of }) =>
      answerOf(
        async () => {
          const { hostState } = side.actor(actor)
          return saved(side, name, await hostState.save(name, values[of](side.step), side.guard(record(name), by)))
        },
        saw(side, name),
      ),
  }),
  operation({
    verb: 'hostState.patch',
    weight: 36,
    input: fc.record({
      actor: anyActor,
      key,
      set: fc.array(member, { maxLength: 2 }),
      remove: fc.array(member, { maxLength: 1 }),
    }),
    run: (side, { actor, key: name, set, remove }) =>
      answerOf(
        async () => {
          const entries = Object.fromEntries(['n', ...set].map((m) => [m, side.step]))
          return saved(side, name, await side.actor(actor).hostState.patch(name, { entries, remove }))
        },
        saw(side, name),
      ),
  }),
  operation({
    verb: 'hostState.update',
    weight: 32,
    input: fc.record({ actor: anyActor, key, change: fc.constantFrom('none', 'none', 'value', 'value', 'invalid') }),
    run: (side, { actor, key: name, change }) =>
      answerOf(
        async () => {
          const next = (value: JsonValue | null) => {
            if (change === 'none') return undefined
            return change === 'invalid' ? values.invalid() : { was: JSON.stringify(value).length, n: side.step }
          }
          return saved(side, name, await side.actor(actor).hostState.update(name, next))
        },
        saw(side, name),
      ),
  }),
  operation({
    verb: 'hostState.delete',
    weight: 20,
    input: fc.record({ actor: anyActor, key: presentKey, guard: fc.constantFrom('plain', 'current', 'stale') }),
    run: (side, { actor, key: name, guard: by }) =>
      answerOf(async () => {
        const { ifRev } = side.guard(record(name), by)
        return saved(side, name, await side.actor(actor).hostState.delete(name, ifRev ? { ifRev } : {}))
      }),
  }),
]

const reading: OperationKind[] = [
  operation({
    verb: 'hostState.load',
    weight: 36,
    input: fc.record({ actor: anyActor, key }),
    run: (side, { actor, key: name }) =>
      answerOf(async () => shown(await side.actor(actor).hostState.load(name), side), saw(side, name)),
  }),
  operation({
    verb: 'hostState.keys',
    weight: 30,
    input: fc.record({ actor: anyActor, limit: seldom(pageLimits, fc.constant(0), { onceIn: 10 }) }),
    run: (side, { actor, limit }) =>
      answerOf(async () => {
        const page = await side.page('keys', limit, (request) => side.actor(actor).hostState.keys(request))
        return answer(page.cursor === null ? 'last page' : 'page', { items: page.items })
      }),
  }),
]

/** Another program writes JSON of its own, or something that is none. */
const foreign = operation({
  verb: 'hostState foreign write',
  weight: 30,
  input: fc.record({
    key: presentKey,
    text: fc.constantFrom(
      '{"f": N}',
      '{"a": 1, "a": N, "__proto__": {"x": 9007199254740993}}',
      '\uFEFF{"f": N}',
      '[N]',
      '{"cut N',
      '{"a": 1e999, "n": N}',
      '',
    ),
  }),
  async run(side, { key: name, text }) {
    const written = text.replace('N', String(side.step))
    const { items } = await side.actor(0).hostState.keys({ limit: 1000 })
    if (items.includes(name)) await side.harness.foreign.writeHostStateText(name, written)
    else await side.harness.foreign.insertHostState(name, written)
    return answer('written')
  },
})

export const hostStateOperations = [...writing, ...reading, foreign]

const fiftyTimes = 'only where others change it at each of fifty tries'

export const hostStateAnswers = expectedOf('hostState', {
  load: { found: true, null: true, corrupt: true, invalid: 'a name that nothing can have is null' },
  save: { saved: true, conflict: true, invalid: true, corrupt: true },
  patch: { saved: true, 'not-object': true, conflict: fiftyTimes, invalid: true, corrupt: true },
  update: { saved: true, unchanged: true, conflict: fiftyTimes, invalid: true, corrupt: true },
  delete: { deleted: true, conflict: true, absent: true, invalid: 'as in load', corrupt: 'goes like any other' },
  keys: { page: true, 'last page': true, invalid: true, corrupt: 'listed as a key' },
} satisfies ExpectedAnswers<'hostState'>)
