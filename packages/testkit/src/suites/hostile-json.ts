import type { Backend, JsonObject, JsonValue } from '@nexus/core'
import { maxJsonDepth } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from './clause.ts'
import { aCompletion, aWorkflow, present, refused } from './samples.ts'

class Point {
  x = 1
}

const nested = (levels: number): JsonValue => {
  let value: JsonValue = 'core'
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { in: value }
  return value
}

const circle: Record<string, unknown> = {}
circle['self'] = circle

const inexpressible: readonly unknown[] = [
  undefined,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  () => 1,
  Symbol('s'),
  10n,
  new Date(0),
  new Map([['a', 1]]),
  new Set([1]),
  /x/,
  new Point(),
  [1, undefined],
  new Array<number>(3),
  { deep: [{ deeper: undefined }] },
  circle,
  nested(100_000),
  'x'.repeat(16 * 1024 * 1024),
]

const expressible: readonly JsonValue[] = [
  '\u0000 \uD800 \uDFFF \uFEFF \u2028',
  { '\u0000': 1, '\uD800': 2, '': 3, ' ': 4 },
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}') as JsonValue,
  { toString: 1, hasOwnProperty: null, length: 0 },
  [1e-320, 1.7976931348623157e308, 2 ** 53 + 2, -0.1],
  { b: 1, a: 2, '10': 3, '9': 4 },
  nested(maxJsonDepth - 2),
]

type Place = {
  title: string
  save(backend: Backend, member: unknown): Promise<unknown>
  load(backend: Backend): Promise<unknown>
}

/** Each place that takes JSON, with the value as a member of it. */
const places: readonly Place[] = [
  {
    title: 'host state',
    save: ({ hostState }, member) => hostState.save('k', { member } as JsonObject),
    load: async ({ hostState }) => (await hostState.load('k'))?.value,
  },
  {
    title: 'a patch',
    save: ({ hostState }, member) => hostState.patch('k', { entries: { member } as JsonObject }),
    load: async ({ hostState }) => (await hostState.load('k'))?.value,
  },
  {
    title: 'an update',
    save: ({ hostState }, member) => hostState.update('k', () => ({ member }) as JsonObject),
    load: async ({ hostState }) => (await hostState.load('k'))?.value,
  },
  {
    title: 'workflow data',
    save: ({ workflows }, member) => workflows.save(aWorkflow({ data: { member } as JsonObject })),
    load: async ({ workflows }) => (await workflows.load('alpha-7-full'))?.data,
  },
  {
    title: 'a payload',
    save: ({ completions }, member) => completions.save(aCompletion({ payload: { member } as JsonObject })),
    load: async ({ completions }) => (await completions.history('7')).items[0]?.payload,
  },
]

const memberOf = (document: unknown): unknown => (document as JsonObject)['member']

export const hostileJson = (clause: Clause): void => {
  for (const { title, save, load } of places) {
    clause('C-ALL-7', `${title} that JSON cannot express is invalid, and nothing is written`, async ({ backend }) => {
      for (const value of inexpressible) await refused(save(backend, value), 'invalid')
      expect(await load(backend)).toBeUndefined()
    })

    clause('C-ALL-7', `${title} may hold whatever JSON expresses`, async ({ backend }) => {
      for (const value of expressible) {
        await save(backend, value)
        expect(JSON.stringify(memberOf(await load(backend)))).toBe(JSON.stringify(value))
      }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    })

    clause('C-ALL-7', `${title} is at most ${maxJsonDepth} levels deep`, async ({ backend }) => {
      await save(backend, nested(maxJsonDepth - 1))
      await refused(save(backend, nested(maxJsonDepth)), 'invalid')
      expect(JSON.stringify(memberOf(await load(backend)))).toBe(JSON.stringify(nested(maxJsonDepth - 1)))
    })
  }

  clause('C-ALL-7', 'host state, data and payload of the wrong shape are invalid', async ({ backend }) => {
    const wrong = [null, [], 'text', 7] as unknown as JsonObject[]
    for (const value of wrong) {
      await refused(backend.workflows.save(aWorkflow({ data: value })), 'invalid')
      await refused(backend.completions.save(aCompletion({ payload: value })), 'invalid')
    }
    await refused(backend.hostState.save('k', undefined as unknown as JsonValue), 'invalid')
    expect((await backend.workflows.list()).items).toEqual([])
    expect((await backend.completions.scan()).items).toEqual([])
    expect(await backend.hostState.load('k')).toBeNull()
  })

  clause('C-ALL-7', 'stored text reads alike: duplicates, big integers, __proto__, a BOM', async (t) => {
    const text =
      '\uFEFF {"a": 1, "big": 12345678901234567890, "__proto__": {"x": 1}, "a": 2, "esc": "\\u0000\\ud800"}\n'
    await t.foreign.insertHostState('k', text)
    const { value } = present(await t.backend.hostState.load('k'))
    expect(JSON.stringify(value)).toBe('{"a":2,"big":12345678901234567000,"__proto__":{"x":1},"esc":"\\u0000\\ud800"}')
    const row = { id: 'alpha-7-full', name: 'Theirs', state: 'running', currentStep: 0, data: '{"a": 1, "a": [2]}' }
    await t.foreign.insertWorkflow(row)
    expect(present(await t.backend.workflows.load('alpha-7-full')).data).toMatchObject({ a: [2] })
  })
}
