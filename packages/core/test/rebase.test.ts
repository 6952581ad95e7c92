import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  patchJsonText,
  rebaseState,
  type StateBase,
  type StateOperation,
  stateConflicts,
} from '../src/index.ts'

const save = (value: JsonValue): StateOperation => ({ id: 'o1', kind: 'state-save', key: 'k', value })
const patch = (entries: JsonObject, remove: string[] = []): StateOperation => ({
  id: 'o1',
  kind: 'state-patch',
  key: 'k',
  entries,
  remove,
})
const saw = (value: JsonValue): StateBase => ({ known: 'value', value })
const absent: StateBase = { known: 'absent' }
const nothing: StateBase = { known: 'nothing' }

const read = (text: string | null): JsonValue | undefined => {
  const parsed = text === null ? null : parseJson(text)
  if (parsed && !parsed.ok) throw new Error(parsed.reason)
  return parsed?.value
}

const members = (value: JsonValue | undefined): Map<string, JsonValue> =>
  new Map(isJsonObject(value) ? Object.entries(value) : [])

/** What is there after the operation met it. */
const met = (operation: StateOperation, base: StateBase, present: string | null) => {
  const { text, conflicts } = rebaseState({ operation, base, present })
  return { text: text ?? present, conflicts }
}

describe('[C-ROUTE-13] what an outage wrote meets what others wrote', () => {
  const reason = 'others changed it meanwhile'

  test('the members that nobody else changed are applied, and the rest keeps its source text', () => {
    const present = '{\n  "big": 18446744073709551617,\n  "a": 1,\n  "theirs": 1.0e2\n}\n'
    const seen = { big: 2 ** 64, a: 1, theirs: 5 }
    expect(met(save({ ...seen, a: 2 }), saw(seen), present)).toEqual({
      text: '{\n  "big": 18446744073709551617,\n  "a": 2,\n  "theirs": 1.0e2\n}\n',
      conflicts: [],
    })
  })

  test('a member that both changed is a conflict with all three values; the others are applied', () => {
    expect(met(save({ a: 2, b: 2 }), saw({ a: 1, b: 1 }), '{"a":3,"b":1}')).toEqual({
      text: '{"a":3,"b":2}',
      conflicts: [{ member: 'a', base: 1, ours: 2, theirs: 3, reason }],
    })
    expect(met(save({ b: 1 }), saw({ a: 1, b: 1 }), '{"a":3,"b":1}')).toEqual({
      text: '{"a":3,"b":1}',
      conflicts: [{ member: 'a', base: 1, ours: undefined, theirs: 3, reason }],
    })
    expect(met(save({ a: 2 }), saw({ a: 1 }), '{}')).toEqual({
      text: '{}',
      conflicts: [{ member: 'a', base: 1, ours: 2, theirs: undefined, reason }],
    })
    expect(met(save({ a: { x: 2 } }), saw({ a: { x: 1 } }), '{"a":{"x":1,"y":1}}').conflicts).toMatchObject([
      { base: { x: 1 }, ours: { x: 2 }, theirs: { x: 1, y: 1 } },
    ])
  })

  test('what others wrote alike, in whatever order, is no conflict', () => {
    expect(met(save({ a: { x: 1, y: [2] } }), saw({ a: 0 }), '{"a":{"y":[2],"x":1}}')).toEqual({
      text: '{"a":{"y":[2],"x":1}}',
      conflicts: [],
    })
  })

  test('a save that changed nothing changes nothing; a patch says what it names', () => {
    expect(met(save({ a: 1 }), saw({ a: 1 }), '{"a":3}')).toEqual({ text: '{"a":3}', conflicts: [] })
    expect(met(save(1), saw(1), '3')).toEqual({ text: '3', conflicts: [] })
    expect(met(save({ a: 1 }), saw({ a: 1 }), null)).toEqual({ text: null, conflicts: [] })
    expect(met(patch({ a: 1 }), saw({ a: 1 }), '{"a":3}').conflicts).toMatchObject([{ ours: 1, theirs: 3 }])
  })

  test('values that are no objects are one whole', () => {
    expect(met(save([2]), saw([1]), '[1]')).toEqual({ text: '[2]', conflicts: [] })
    expect(met(save([2]), saw({ a: 1 }), ' {"a":1}')).toEqual({ text: '[2]', conflicts: [] })
    expect(met(save({ a: 1 }), absent, '5')).toEqual({
      text: '5',
      conflicts: [{ member: null, base: undefined, ours: { a: 1 }, theirs: 5, reason }],
    })
    expect(met(save(2), saw(1), null)).toEqual({
      text: null,
      conflicts: [{ member: null, base: 1, ours: 2, theirs: undefined, reason }],
    })
    expect(met(patch({ a: 1, b: 2 }, ['b']), saw({}), '[7]')).toEqual({
      text: '[7]',
      conflicts: [{ member: null, base: {}, ours: { a: 1 }, theirs: [7], reason }],
    })
  })

  test('absent counts as an object without members', () => {
    expect(met(save({ a: 1 }), absent, '{"b":2}')).toEqual({ text: '{"b":2,"a":1}', conflicts: [] })
    expect(met(save({ a: 1, b: 2 }), saw({ a: 1 }), null)).toEqual({ text: '{"b":2}', conflicts: [] })
    expect(met(save({}), absent, null)).toEqual({ text: '{}', conflicts: [] })
    expect(met(patch({ a: 1 }), saw({}), null)).toEqual({ text: '{"a":1}', conflicts: [] })
    expect(met(patch({}, ['a']), absent, null)).toEqual({ text: '{}', conflicts: [] })
  })

  test('a save by a writer that never saw the key applies, and says that it replaced what nobody had seen', () => {
    expect(rebaseState({ operation: save({ a: 1 }), base: nothing, present: '{"b":2}' })).toEqual({
      text: '{"a":1}',
      isUnseen: true,
      conflicts: [],
    })
    expect(rebaseState({ operation: save({ a: 1 }), base: nothing, present: ' {"a":1}' }).text).toBeNull()
    expect(met(patch({ a: 1, b: 2 }), nothing, '{"a":9}')).toEqual({
      text: '{"a":9,"b":2}',
      conflicts: [{ member: 'a', base: undefined, ours: 1, theirs: 9, reason }],
    })
  })

  test('what cannot be read stays, and all that was meant for it is in conflict', () => {
    const present = '{"a":'
    const unreadable = expect.stringMatching(/^what is there is not JSON/)
    expect(met(save({ a: 1 }), nothing, present)).toEqual({
      text: present,
      conflicts: [{ member: null, base: undefined, ours: { a: 1 }, theirs: present, reason: unreadable }],
    })
    expect(met(patch({ a: 1 }, ['b']), saw({ b: 2 }), present)).toEqual({
      text: present,
      conflicts: [
        { member: 'a', base: undefined, ours: 1, theirs: undefined, reason: unreadable },
        { member: 'b', base: 2, ours: undefined, theirs: undefined, reason: unreadable },
      ],
    })
  })

  test('of an operation that cannot be applied, what is not there already is in conflict', () => {
    const present = '{"a":1,"b":2}'
    expect(stateConflicts({ operation: patch({ a: 1, b: 3 }), base: saw({ b: 2 }), present }, 'too old')).toEqual([
      { member: 'b', base: 2, ours: 3, theirs: 2, reason: 'too old' },
    ])
    expect(stateConflicts({ operation: save({ a: 1 }), base: nothing, present }, 'too old')).toEqual([])
    expect(stateConflicts({ operation: save(7), base: nothing, present }, 'too old')).toEqual([
      { member: null, base: undefined, ours: 7, theirs: { a: 1, b: 2 }, reason: 'too old' },
    ])
  })

  test('a result that no store would take is refused', () => {
    const half = 'x'.repeat(9_000_000)
    const present = JSON.stringify({ a: half })
    expect(() => rebaseState({ operation: save({ b: half }), base: absent, present })).toThrow(/longer than/)
  })
})

const names = fc.constantFrom('a', 'b', 'c', 'd', '', '__proto__', 'ü', '\u0000')
const small = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 1, 2) }, { weight: 1, arbitrary: fc.jsonValue() })
const asStored = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue
const object = fc.dictionary(names, small, { maxKeys: 4 }).map((value) => asStored(value) as JsonObject)
const value = fc.oneof({ weight: 4, arbitrary: object }, { weight: 1, arbitrary: small.map(asStored) })
const text = fc.option(fc.tuple(value, fc.constantFrom('', ' ', '  ')), { nil: null }).map((made) => {
  return made === null ? null : JSON.stringify(made[0], null, made[1])
})
const operation: fc.Arbitrary<StateOperation> = fc.oneof(
  value.map(save),
  fc.tuple(object, fc.uniqueArray(names, { maxLength: 3 })).map(([entries, remove]) => patch(entries, remove)),
)

/** What the writer of an operation kept of what it saw. */
const baseOf = (operation: StateOperation, seen: string | null): StateBase => {
  const kept = read(seen)
  if (kept === undefined) return absent
  if (operation.kind === 'state-save' || !isJsonObject(kept)) return saw(kept)
  const named = new Set([...Object.keys(operation.entries), ...operation.remove])
  return saw(Object.fromEntries(Object.entries(kept).filter(([name]) => named.has(name))))
}

const direct = (operation: StateOperation, present: string | null): string | null => {
  if (operation.kind === 'state-save') return JSON.stringify(operation.value)
  const patched = patchJsonText(present ?? '{}', operation)
  return patched.ok ? patched.text : present
}

const runs = { numRuns: 500 }

describe('[C-ROUTE-13] whatever was written', () => {
  test('where nobody else wrote, it is as if it had been applied at once', () =>
    fc.assert(
      fc.property(operation, text, (operation, present) => {
        const { text, conflicts } = met(operation, baseOf(operation, present), present)
        const expected = read(direct(operation, present))
        if (operation.kind === 'state-patch' && present !== null && !isJsonObject(read(present))) return
        expect(read(text)).toEqual(expected)
        expect(conflicts).toEqual([])
      }),
      runs,
    ))

  test('changes of different members both win', () =>
    fc.assert(
      fc.property(object, object, object, (base, first, second) => {
        const ours = Object.fromEntries(Object.entries(first).filter(([name]) => !Object.hasOwn(second, name)))
        const theirs = read(direct(patch(second), JSON.stringify(base)))
        const whole = read(direct(patch(ours), JSON.stringify(base))) ?? null
        const expected = members({ ...(theirs as JsonObject), ...ours })
        for (const operation of [save(whole), patch(ours)]) {
          const { text, conflicts } = met(operation, baseOf(operation, JSON.stringify(base)), JSON.stringify(theirs))
          expect(members(read(text))).toEqual(expected)
          expect(conflicts).toEqual([])
        }
      }),
      runs,
    ))

  test('a conflict loses neither value, and no member of theirs goes unless its writer had seen it', () =>
    fc.assert(
      fc.property(operation, text, text, (operation, seen, present) => {
        const { text, conflicts } = met(operation, baseOf(operation, seen), present)
        for (const { member, ours, theirs } of conflicts) {
          const now = member === null ? read(text) : members(read(text)).get(member)
          expect(now).toEqual(theirs)
          expect(ours).not.toEqual(theirs)
          if (operation.kind === 'state-save' && member !== null)
            expect(members(operation.value).get(member)).toEqual(ours)
          if (operation.kind === 'state-save' && member === null) expect(ours).toEqual(operation.value)
        }
        if (!isJsonObject(read(text)) || !isJsonObject(read(present))) return
        for (const [name, theirs] of members(read(present)))
          if (!members(read(text)).has(name)) expect(theirs).toEqual(members(read(seen)).get(name))
      }),
      runs,
    ))

  test('applied twice it is applied once', () =>
    fc.assert(
      fc.property(operation, text, text, fc.boolean(), (operation, seen, present, isKnown) => {
        const base = isKnown ? baseOf(operation, seen) : nothing
        const once = met(operation, base, present)
        const again = rebaseState({ operation, base, present: once.text })
        expect(again.text ?? once.text).toEqual(once.text)
        expect(again.conflicts).toEqual(once.conflicts)
      }),
      runs,
    ))
})
