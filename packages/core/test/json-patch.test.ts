import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JsonObject, parseJson, patchJsonText } from '../src/index.ts'

const patched = (text: string, change: Parameters<typeof patchJsonText>[1]): string => {
  const result = patchJsonText(text, change)
  if (!result.ok) throw new Error(result.reason)
  return result.text
}

const object = (json: string): JsonObject => {
  const parsed = parseJson(json)
  if (!parsed.ok) throw new Error(parsed.reason)
  return parsed.value as JsonObject
}

test('[C-STATE-3] what is not named keeps its source text: big integers, escapes, blanks, order, a BOM', () => {
  const text = '\uFEFF{\n  "big": 12345678901234567890,\n  "esc": "\\u00e9\\/",\n  "n": 1.0e2 ,\n  "a": [ 1,2 ]\n}\n'
  expect(patched(text, { entries: { n: 5 } })).toBe(text.replace('1.0e2', '5'))
  expect(patched(text, { remove: ['esc'] })).toBe(
    '\uFEFF{\n  "big": 12345678901234567890,\n  "n": 1.0e2 ,\n  "a": [ 1,2 ]\n}\n',
  )
})

test('[C-STATE-3] a new member is laid out like its neighbours', () => {
  expect(patched('{\n  "a": 1\n}\n', { entries: { b: { c: [1] } } })).toBe(
    '{\n  "a": 1,\n  "b": {\n    "c": [\n      1\n    ]\n  }\n}\n',
  )
  expect(patched('{"a": 1, "b": 2}', { entries: { c: 3 } })).toBe('{"a": 1, "b": 2, "c": 3}')
  expect(patched('{}', { entries: { c: 3 } })).toBe('{"c":3}')
})

test('[C-STATE-3] the first, the last and every member can go', () => {
  const text = '{"a":1,"b":2,"c":3}'
  expect(patched(text, { remove: ['a'] })).toBe('{"b":2,"c":3}')
  expect(patched(text, { remove: ['c'] })).toBe('{"a":1,"b":2}')
  expect(patched(text, { remove: ['a', 'b', 'c'] })).toBe('{}')
  expect(patched(text, { entries: { a: 9 }, remove: ['a', 'b', 'c'] })).toBe('{}')
})

test('[C-ALL-7] of duplicate members the last is changed and the others go; unnamed duplicates stay', () => {
  const text = '{"a":1,"b":1,"a":2,"b":2}'
  expect(patched(text, { entries: { a: 3 } })).toBe('{"b":1,"a":3,"b":2}')
  expect(patched(text, { remove: ['a'] })).toBe('{"b":1,"b":2}')
})

test('[C-ALL-7] __proto__ and escaped spellings are ordinary names', () => {
  expect(patched('{"__proto__":1}', { entries: object('{"__proto__":{"x":1}}') })).toBe('{"__proto__":{"x":1}}')
  expect(patched('{"\\u0061":1}', { entries: { a: 2 } })).toBe('{"\\u0061":2}')
  expect(patched('{"constructor":1}', { remove: ['toString'] })).toBe('{"constructor":1}')
})

test('[C-STATE-3] a list or scalar has no members; what is not JSON is corrupt', () => {
  for (const text of ['[]', '1', '"{}"', 'null', 'true', ' [{"a":1}]'])
    expect(patchJsonText(text, { entries: { a: 1 } })).toEqual({ ok: false, reason: 'not-object' })
  for (const text of ['', '{', '{"a":1e400}', "{'a':1}", '{"a":1,}', `${'['.repeat(600)}${']'.repeat(600)}`])
    expect(patchJsonText(text, { entries: { a: 1 } })).toEqual({ ok: false, reason: 'corrupt' })
})

test('[C-STATE-3] a result that no store would take is refused', () => {
  const half = 'x'.repeat(9_000_000)
  expect(() => patchJsonText(JSON.stringify({ a: half }), { entries: { b: half } })).toThrow(/longer than/)
})

test('[C-STATE-3] reads as the same change of the parsed object, however it is spelled', () => {
  const key = fc.constantFrom('a', 'b', 'c', '', '}', '"', '\\', '__proto__', 'ü', '\u0000', ',')
  const members = fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 6 })
  const blank = fc.constantFrom('', ' ', '\n  ', '\t')
  fc.assert(
    fc.property(members, blank, fc.dictionary(key, fc.jsonValue()), fc.array(key), (list, gap, entries, remove) => {
      const text = `{${list.map(([name, value]) => `${gap}${JSON.stringify(name)}:${gap}${JSON.stringify(value, null, gap)}`).join(',')}${gap}}`
      const next = new Map(Object.entries(object(text)))
      for (const [name, value] of Object.entries(JSON.parse(JSON.stringify(entries)) as JsonObject))
        next.set(name, value)
      for (const name of remove) next.delete(name)
      const change = { entries: JSON.parse(JSON.stringify(entries)) as JsonObject, remove }
      expect(new Map(Object.entries(object(patched(text, change))))).toEqual(next)
    }),
    { numRuns: 500 },
  )
})
