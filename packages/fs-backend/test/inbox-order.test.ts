import { expect, test } from 'vitest'
import { createHeap } from '../src/inbox/heap.ts'
import { createSelection } from '../src/inbox/selection.ts'
import { mostSteps } from '../src/slices.ts'

/** So many numbers below 100 in an order that looks like none, some of them twice. */
const scattered = (count: number): number[] => Array.from({ length: count }, (_, n) => (n * 7919 + 31) % 100)

const ascending = (a: number, b: number): number => a - b

test('a heap gives out in order, also what comes while it does', async () => {
  for (const count of [0, 1, 2, 3, 10, 250]) {
    const heap = createHeap<number>(ascending)
    const numbers = scattered(count)
    for (const number of numbers) heap.push(number)
    const first = await heap.pop()
    heap.push(-1)
    expect(await heap.pop()).toBe(-1)
    const rest: unknown[] = []
    while (rest.length < count - 1) rest.push(await heap.pop())
    expect([first, ...rest].slice(0, count)).toEqual([...numbers].sort(ascending))
    expect(await heap.pop()).toBeUndefined()
  }
})

test('a heap puts many in order in slices, and takes in what comes meanwhile', async () => {
  const heap = createHeap<number>(ascending)
  const numbers = scattered(4 * mostSteps)
  for (const number of numbers) heap.push(number)
  let hadOthersTurn = false
  setImmediate(() => {
    hadOthersTurn = true
  })
  const firsts = Promise.all([heap.pop(), heap.pop()])
  for (const number of [-1, 200, -2]) heap.push(number)
  expect(await firsts).toEqual([-2, -1])
  expect(hadOthersTurn).toBe(true)
  const rest: unknown[] = []
  for (let number = await heap.pop(); number !== undefined; number = await heap.pop()) rest.push(number)
  expect(rest).toEqual([...numbers, 200].sort(ascending))
})

test('a selection holds the first ids beyond one, with all that goes by them', () => {
  const greatestFirst = (a: string, b: string): number => Number(b) - Number(a)
  const selection = createSelection<string>(3, { beyond: '80', compare: greatestFirst })
  for (const n of scattered(250)) selection.add(String(n).padStart(2, '0'), `item ${n}`)
  expect(selection.all().map((items) => [items[0], new Set(items).size])).toEqual([
    ['item 79', 1],
    ['item 78', 1],
    ['item 77', 1],
  ])
  expect(selection.all()[0]?.length).toBeGreaterThan(1)
  expect(createSelection<string>(3, { beyond: null, compare: greatestFirst }).all()).toEqual([])
})
