import { expect, test } from 'vitest'
import { createIds, retryDelayMs, siblingName } from '../src/index.ts'

test('[C-INBOX-9] the delay doubles from 1 s to 5 min, the upper half of it random', () => {
  expect([1, 2, 3, 4].map((attempts) => retryDelayMs(attempts, 0))).toEqual([500, 1000, 2000, 4000])
  expect([1, 2, 3, 4].map((attempts) => retryDelayMs(attempts, 0.5))).toEqual([750, 1500, 3000, 6000])
  for (const attempts of [10, 30, 1000, 100_000]) {
    expect(retryDelayMs(attempts, 0)).toBe(150_000)
    expect(retryDelayMs(attempts, 0.999999)).toBe(300_000)
  }
})

test('[C-TASK-4] the names that are tried for a taken one', () => {
  expect([1, 2, 3].map((n) => siblingName('task.md', n))).toEqual(['task.md', 'task~2.md', 'task~3.md'])
  expect(siblingName('a.b.md', 2)).toBe('a.b~2.md')
  expect(siblingName('README', 2)).toBe('README~2')
  expect(siblingName('.md', 2)).toBe('.md~2')
})

test('[C-INBOX-4] ids grow in byte order, also when the clock stands or goes back', () => {
  let now = 1_800_000_000_000
  const ids = createIds({ now: () => now, monotonic: () => 0 })
  const given = Array.from({ length: 1000 }, (_, index) => {
    if (index % 100 === 50) now -= 60_000
    if (index % 100 === 90) now += 1
    return ids.next()
  })
  expect([...given].sort()).toEqual(given)
  expect(new Set(given).size).toBe(1000)
  for (const id of given) expect(id).toMatch(/^[0-9a-z]{1,32}$/)
})
