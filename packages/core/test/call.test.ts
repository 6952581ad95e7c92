import { expect, test } from 'vitest'
import { z } from 'zod'
import { checkOpen, contentRev, isStoreError, parseInput, StoreError } from '../src/index.ts'

const thrown = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  return null
}

test('[C-ALL-2] an error says its code and outcome, and is told from every other', () => {
  const error = new StoreError({
    code: 'unavailable',
    message: 'No answer.',
    outcome: 'unknown',
    cause: new Error('x'),
  })
  expect(error).toMatchObject({ name: 'StoreError', code: 'unavailable', outcome: 'unknown', cause: { message: 'x' } })
  expect(new StoreError({ code: 'closed', message: 'x' }).outcome).toBe('not-applied')
  expect([isStoreError(error), isStoreError(error, 'unavailable'), isStoreError(error, 'corrupt')]).toEqual([
    true,
    true,
    false,
  ])
  for (const other of [new Error('unavailable'), { code: 'unavailable' }, null]) expect(isStoreError(other)).toBe(false)
})

test('[C-ALL-2] input that does not fit is invalid and names the field', () => {
  const schema = z.object({ name: z.string(), list: z.array(z.object({ n: z.int() })).default([]) })
  expect(parseInput(schema, { name: 'a' }, 'thing')).toEqual({ name: 'a', list: [] })
  const error = thrown(() => parseInput(schema, { name: 'a', list: [{ n: 1.5 }] }, 'thing'))
  expect(isStoreError(error, 'invalid')).toBe(true)
  expect(error).toMatchObject({ message: expect.stringMatching(/^The thing list\.0\.n /) })
})

test('[C-ALL-12] closed comes before aborted, and an open call goes on', () => {
  const signal = AbortSignal.abort(new Error('enough'))
  expect(
    isStoreError(
      thrown(() => checkOpen(true, 'memory', { signal })),
      'closed',
    ),
  ).toBe(true)
  expect(thrown(() => checkOpen(false, 'memory', { signal }))).toMatchObject({ message: 'enough' })
  expect(thrown(() => checkOpen(false, 'memory', { signal: new AbortController().signal }))).toBeNull()
  expect(thrown(() => checkOpen(false, 'memory'))).toBeNull()
})

test('[C-ALL-4] a rev is made of the content alone, and of its parts apart', () => {
  expect(contentRev('a', 1, null)).toBe(contentRev('a', 1, null))
  const revs = [
    contentRev('ab'),
    contentRev('a', 'b'),
    contentRev('a', 'b', null),
    contentRev('a', null),
    contentRev('a', 'null'),
    contentRev(1),
    contentRev('1'),
  ]
  expect(new Set(revs).size).toBe(revs.length)
  expect(contentRev('a')).toMatch(/^[0-9a-f]{32}$/)
})
