import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isJsonObject,
  JsonDocument,
  type JsonValue,
  jsonProblem,
  maxJsonDepth,
  maxTextBytes,
  parseJson,
  repairText,
  StorableText,
  textProblem,
} from '../src/index.ts'

test('[C-ALL-6] whole Unicode without U+0000 is storable', () => {
  for (const text of ['', 'a', '\uFEFF\u202E\uFFFE\u0001', '🚀', '\u{10FFFF}']) expect(textProblem(text)).toBeNull()
  for (const text of ['\0', 'a\0b']) expect(textProblem(text)).toBe('holds U+0000')
  for (const text of ['\uD800', '\uDC00', 'a\uDBFFb', '\uDE00\uD83D'])
    expect(textProblem(text)).toBe('holds a lone surrogate')
  expect(StorableText.safeParse('a\0').success).toBe(false)
})

test('[C-ALL-6] text is measured in bytes, to 16 MiB', () => {
  expect(textProblem('a'.repeat(maxTextBytes))).toBeNull()
  expect(textProblem('ü'.repeat(maxTextBytes / 2))).toBeNull()
  for (const text of ['a'.repeat(maxTextBytes + 1), 'ü'.repeat(maxTextBytes / 2 + 1)])
    expect(textProblem(text)).toBe(`is longer than ${maxTextBytes} bytes`)
})

test('[C-ALL-6] repaired text is storable, and storable text is not touched', () => {
  expect(repairText('a\0b\uD800c')).toBe('a\uFFFDb\uFFFDc')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const repaired = repairText(text)
      expect(textProblem(repaired)).toBeNull()
      if (textProblem(text) === null) expect(repaired).toBe(text)
    }),
  )
})

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

test('[C-ALL-7] stored JSON reads as JSON.parse reads it, a BOM aside', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) })
      expect(parseJson(`\uFEFF${text}\n`)).toEqual({ ok: true, value: JSON.parse(text) })
    }),
  )
})

test('[C-ALL-7] duplicates, big integers and __proto__', () => {
  expect(parseJson('{"a":1,"a":2}')).toEqual({ ok: true, value: { a: 2 } })
  expect(parseJson('12345678901234567890')).toEqual({ ok: true, value: 12345678901234567000 })
  const proto = parseJson('{"__proto__":{"x":1}}')
  expect(proto.ok && isJsonObject(proto.value) && Object.hasOwn(proto.value, '__proto__')).toBe(true)
})

test('[C-ALL-7] what is no document, beyond double range or too deep is unreadable, with a reason', () => {
  for (const text of ['', ' ', '{', 'undefined', '{"a":1,}', '\uFEFF\uFEFF1', "'a'", 'NaN', '01'])
    expect(parseJson(text)).toEqual({ ok: false, reason: expect.stringMatching(/^is not JSON/) })
  expect(parseJson('[1e400]')).toEqual({ ok: false, reason: 'holds a number that JSON cannot express' })
  expect(parseJson(nested(maxJsonDepth))).toMatchObject({ ok: true })
  for (const depth of [maxJsonDepth + 1, 100_000])
    expect(parseJson(nested(depth))).toEqual({ ok: false, reason: `is nested deeper than ${maxJsonDepth} levels` })
})

test('[C-ALL-7] what JSON cannot express has a problem wherever it stands', () => {
  const holes: unknown[] = new Array<number>(2)
  for (const bad of [undefined, Number.NaN, -Infinity, 1n, Symbol('s'), () => 1, new Date(0), new Map(), holes])
    for (const value of [bad, [bad], { a: { b: [bad] } }]) expect(jsonProblem(value)).not.toBeNull()
  const circle: Record<string, unknown> = {}
  circle['self'] = circle
  expect(jsonProblem(circle)).toMatch(/deeper/)
  for (const good of [null, '\0\uD800', Object.create(null), { a: [1, { b: '' }] }])
    expect(jsonProblem(good)).toBeNull()
})

test('[C-ALL-7] a document is at most 16 MiB as JSON', () => {
  const sized = (bytes: number): JsonValue => ['x'.repeat(bytes - 4)]
  expect(JsonDocument.safeParse(sized(maxTextBytes)).success).toBe(true)
  expect(JsonDocument.safeParse(sized(maxTextBytes + 1)).success).toBe(false)
})
