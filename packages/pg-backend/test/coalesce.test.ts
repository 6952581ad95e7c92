import { StoreError } from '@nexus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startBudget } from '../src/budget.ts'
import { createCoalesced } from '../src/coalesce.ts'
import type { Call } from '../src/tools.ts'

interface Item {
  key: string
  n: number
}

const callOf = (signal?: AbortSignal, ms = 60_000): Call => ({ budget: startBudget(ms), signal })

/** Statements whose ends the test decides on, in the order in which they were sent. */
const createStatements = (refused: (n: number) => boolean = () => false) => {
  const sent: { items: readonly Item[]; end(error?: Error): void }[] = []
  const send = (items: readonly Item[]): Promise<void> =>
    new Promise((resolve, reject) => {
      sent.push({ items, end: (error) => (error ? reject(error) : resolve()) })
    })
  const save = createCoalesced<Item, number>({
    keyOf: ({ key }) => key,
    async single(item) {
      await send([item])
      return item.n
    },
    async batch(items) {
      await send(items)
      return items.map(({ n }) => (refused(n) ? null : n))
    },
  })
  /** Ends what is on its way until nothing is. */
  const drain = async (): Promise<void> => {
    for (let next = 0; next < sent.length; next += 1) {
      sent[next]?.end()
      await new Promise(setImmediate)
    }
  }
  return { sent, save, drain }
}

const numbersOf = (sent: readonly { items: readonly Item[] }[]): number[][] =>
  sent.map(({ items }) => items.map(({ n }) => n))

type Save = ReturnType<typeof createStatements>['save']

/** The first two each in a turn of its own, so that they are on their way by themselves; then the others in one turn. */
const savedInTurns = async (save: Save, numbers: readonly number[], call = callOf): Promise<Promise<number>[]> => {
  const calls: Promise<number>[] = []
  for (const n of numbers) {
    calls.push(save({ key: `k${n}`, n }, call()))
    if (calls.length <= 2) await new Promise(setImmediate)
  }
  return calls
}

describe('calls that share statements', () => {
  test('calls of one turn go together', async () => {
    const { sent, save, drain } = createStatements()
    const calls = [1, 2, 3].map(async (n) => {
      await null
      return save({ key: `k${n}`, n }, callOf())
    })
    await new Promise(setImmediate)
    expect(numbersOf(sent)).toEqual([[1, 2, 3]])
    await drain()
    expect(await Promise.all(calls)).toEqual([1, 2, 3])
  })

  test('two go at once, each by itself; the others go together when one is back', async () => {
    const { sent, save, drain } = createStatements()
    const calls = await savedInTurns(save, [1, 2, 3, 4, 5])
    await new Promise(setImmediate)
    expect(numbersOf(sent)).toEqual([[1], [2]])
    await drain()
    expect(numbersOf(sent)).toEqual([[1], [2], [3, 4, 5]])
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4, 5])
  })

  test('two of one key never share a statement', async () => {
    const { sent, save, drain } = createStatements()
    const keys = ['c', 'c', 'd', 'c']
    const calls = keys.map((key, n) => save({ key, n }, callOf()))
    await new Promise(setImmediate)
    await drain()
    expect(numbersOf(sent)).toEqual([[0, 2], [1], [3]])
    expect(await Promise.all(calls)).toEqual([0, 1, 2, 3])
  })

  test('what one statement cannot do for one of them, a statement of its own does', async () => {
    const { sent, save, drain } = createStatements((n) => n === 3)
    const calls = await savedInTurns(save, [1, 2, 3, 4])
    await drain()
    expect(numbersOf(sent)).toEqual([[1], [2], [3, 4], [3]])
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4])
  })

  test('what is the fault of one is tried again for each by itself', async () => {
    const { sent, save, drain } = createStatements()
    const calls = await savedInTurns(save, [1, 2, 3, 4])
    sent[0]?.end()
    await new Promise(setImmediate)
    sent[2]?.end(new StoreError({ code: 'invalid', message: 'one of them' }))
    await new Promise(setImmediate)
    expect(numbersOf(sent)).toEqual([[1], [2], [3, 4], [3], [4]])
    await drain()
    expect(await Promise.all(calls)).toEqual([1, 2, 3, 4])
  })

  test('where the database is not there, each is told, as unknown where it is unknown', async () => {
    const { sent, save, drain } = createStatements()
    const calls = await savedInTurns(save, [1, 2, 3, 4])
    const settled = Promise.allSettled(calls)
    sent[0]?.end()
    await new Promise(setImmediate)
    sent[2]?.end(new StoreError({ code: 'unavailable', message: 'gone', outcome: 'unknown' }))
    await drain()
    const gone = { status: 'rejected', reason: expect.objectContaining({ code: 'unavailable', outcome: 'unknown' }) }
    expect(await settled).toEqual([{ status: 'fulfilled', value: 1 }, { status: 'fulfilled', value: 2 }, gone, gone])
    expect(numbersOf(sent)).toEqual([[1], [2], [3, 4]])
  })

  test('who gives up while waiting is rejected at once and in no statement with others', async () => {
    const { sent, save, drain } = createStatements()
    const ending = new AbortController()
    const calls = await savedInTurns(save, [1, 2, 3])
    const given = save({ key: 'k4', n: 4 }, callOf(ending.signal))
    ending.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    await drain()
    expect(numbersOf(sent.filter(({ items }) => items.length > 1))).toEqual([])
    expect(await Promise.all(calls)).toEqual([1, 2, 3])
  })

  test('calls with other times from end to end share no statement, and none waits longer than its own', async () => {
    const { sent, save, drain } = createStatements()
    const times = [60_000, 60_000, 30_000, 60_000].values()
    const calls = await savedInTurns(save, [1, 2, 3, 4], () => callOf(undefined, times.next().value))
    const short = save({ key: 'k5', n: 5 }, callOf(undefined, 20))
    while (sent.length < 3) await new Promise(setImmediate)
    expect(numbersOf(sent)).toEqual([[1], [2], [5]])
    await drain()
    expect(numbersOf(sent)).toEqual([[1], [2], [5], [3], [4]])
    expect(await Promise.all([...calls, short])).toEqual([1, 2, 3, 4, 5])
  })

  test('a statement that cannot even be made ends its own call, and the next ones go', async () => {
    const save = createCoalesced<number, number>({
      keyOf: String,
      single: (n) => {
        if (n < 3) throw new Error('not made')
        return Promise.resolve(n)
      },
      batch: (items) => Promise.resolve(items),
    })
    await expect(save(1, callOf())).rejects.toThrow('not made')
    await expect(save(2, callOf())).rejects.toThrow('not made')
    expect(await Promise.all([3, 4].map((n) => save(n, callOf())))).toEqual([3, 4])
    expect(await save(5, callOf())).toBe(5)
  })

  test('any calls in any order have their own answers, each sent once', async () => {
    const given = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), gap: fc.boolean() }), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(given, async (plan) => {
        const { sent, save, drain } = createStatements()
        const calls: Promise<number>[] = []
        for (const [n, { key, gap }] of plan.entries()) {
          calls.push(save({ key, n }, callOf()))
          if (gap) sent.at(-1)?.end()
          if (gap) await new Promise(setImmediate)
        }
        await new Promise(setImmediate)
        await drain()
        expect(await Promise.all(calls)).toEqual(plan.map((_, n) => n))
        expect(
          numbersOf(sent)
            .flat()
            .sort((a, b) => a - b),
        ).toEqual(plan.map((_, n) => n))
        for (const { items } of sent) expect(new Set(items.map(({ key }) => key)).size).toBe(items.length)
      }),
    )
  })
})
