import { describe, expect, test } from 'vitest'
import { createReading } from '../src/telemetry/reading.ts'

const createSource = () => {
  const waiting: { resolve(value: string): void; reject(error: Error): void }[] = []
  let now = 0
  const read = createReading<string>({
    clock: { monotonic: () => now },
    waitMs: 1,
    read: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
  })
  return {
    read,
    waiting,
    advance(ms: number) {
      now += ms
    },
  }
}

describe('a reading', () => {
  test('nobody waits longer than allowed, and who asks next gets what came meanwhile', async () => {
    const { read, waiting } = createSource()
    expect(await read(100)).toEqual({ value: null, problem: 'no answer within 1 ms' })
    expect(await read(100)).toEqual({ value: null, problem: 'no answer within 1 ms' })
    expect(waiting).toHaveLength(1)
    waiting[0]?.resolve('first')
    expect(await read(100)).toEqual({ value: 'first', problem: null })
    expect(waiting).toHaveLength(1)
  })

  test('is read again only when it is too old for who asks', async () => {
    const { read, waiting, advance } = createSource()
    const first = read(100)
    waiting[0]?.resolve('first')
    await first
    advance(99)
    await read(100)
    expect(waiting).toHaveLength(1)
    const second = read(50)
    expect(waiting).toHaveLength(2)
    waiting[1]?.resolve('second')
    expect(await second).toEqual({ value: 'second', problem: null })
  })

  test('what fails keeps its last value, says why, and is not tried again at once', async () => {
    const { read, waiting, advance } = createSource()
    const first = read(100)
    waiting[0]?.resolve('first')
    await first
    advance(100)
    const second = read(100)
    waiting[1]?.reject(new Error('gone'))
    expect(await second).toEqual({ value: 'first', problem: 'gone' })
    expect(await read(100)).toEqual({ value: 'first', problem: 'gone' })
    expect(waiting).toHaveLength(2)
    advance(100)
    const third = read(100)
    waiting[2]?.resolve('third')
    expect(await third).toEqual({ value: 'third', problem: null })
  })
})
