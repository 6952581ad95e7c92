import { expect, test } from 'vitest'
import { createShared } from '../src/shared.ts'

interface Begun {
  items: readonly string[]
  finish(): void
  fail(error: Error): void
}

const createWatched = () => {
  const begun: Begun[] = []
  const shared = createShared(
    (items: readonly string[]) =>
      new Promise<number>((resolve, reject) => {
        begun.push({ items, finish: () => resolve(items.length), fail: reject })
      }),
  )
  return { begun, shared }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('what comes while others are at work shares the next work, and not theirs', async () => {
  const { begun, shared } = createWatched()
  const first = shared('a')
  await turn()
  const others = [shared('b'), shared('c')]
  await turn()
  expect(begun.map(({ items }) => items)).toEqual([['a']])
  begun[0]?.finish()
  expect(await first).toEqual({ nth: 0, answer: 1 })
  await turn()
  expect(begun.map(({ items }) => items)).toEqual([['a'], ['b', 'c']])
  begun[1]?.finish()
  expect(await Promise.all(others)).toEqual([
    { nth: 0, answer: 2 },
    { nth: 1, answer: 2 },
  ])
})

test('an error is told to all who shared the work, and to nobody after them', async () => {
  const { begun, shared } = createWatched()
  const failed = [shared('a'), shared('b')]
  const told = Promise.allSettled(failed)
  await turn()
  const after = shared('c')
  const error = new Error('EIO')
  begun[0]?.fail(error)
  expect(await told).toEqual([
    { status: 'rejected', reason: error },
    { status: 'rejected', reason: error },
  ])
  await turn()
  begun[1]?.finish()
  expect(await after).toEqual({ nth: 0, answer: 1 })
})
