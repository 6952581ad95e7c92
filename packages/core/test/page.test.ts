import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  decodeCursor,
  eachItem,
  encodeCursor,
  maxPageLimit,
  type Page,
  type PageRequest,
  pageLimit,
  readCursor,
} from '../src/index.ts'

test('[C-ALL-8] a limit is a whole number from 1 to 1000, and 100 unless given', () => {
  expect(pageLimit({})).toBe(100)
  expect(pageLimit({ limit: undefined })).toBe(100)
  for (const limit of [1, 17, maxPageLimit]) expect(pageLimit({ limit })).toBe(limit)
  for (const limit of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => pageLimit({ limit })).toThrow(/out of range/)
})

test('[C-ALL-8] a cursor gives back its key', () => {
  const key = ['ünïcode 🚀', 7, null, { a: ['b'] }]
  const cursor = encodeCursor(key)
  expect(cursor).toMatch(/^[\w-]+$/)
  expect(decodeCursor({ cursor }, 4)).toEqual(key)
  expect(decodeCursor({}, 4)).toBeNull()
})

test('[C-ALL-8] a cursor that no list gave out is invalid', () => {
  for (const cursor of ['', 'x', encodeCursor([1]), btoa('{}'), btoa('"ab"'), 'ü'])
    expect(() => decodeCursor({ cursor }, 2)).toThrow(/not one that this list gave out/)
})

test('[C-ALL-8] nor is one with parts of another kind', () => {
  const schema = z.tuple([z.number(), z.string()])
  expect(readCursor({ cursor: encodeCursor([1, 'a']) }, schema)).toEqual([1, 'a'])
  expect(readCursor({}, schema)).toBeNull()
  for (const key of [['a', 1], [1], [1, 'a', 2], [null, 'a'], []])
    expect(() => readCursor({ cursor: encodeCursor(key) }, schema)).toThrow(/not one that this list gave out/)
})

test('[C-ALL-8] every item of a list, over as many pages as there are', async () => {
  const pages: Record<string, { items: number[]; cursor: string | null }> = {
    first: { items: [1, 2], cursor: 'b' },
    b: { items: [], cursor: 'c' },
    c: { items: [3], cursor: null },
  }
  const asked: (string | undefined)[] = []
  const items: number[] = []
  const list = async ({ cursor }: PageRequest): Promise<Page<number>> => {
    asked.push(cursor)
    return { corrupt: [], ...(pages[cursor ?? 'first'] ?? { items: [], cursor: null }) }
  }
  for await (const item of eachItem(list)) items.push(item)
  expect(items).toEqual([1, 2, 3])
  expect(asked).toEqual([undefined, 'b', 'c'])
})
