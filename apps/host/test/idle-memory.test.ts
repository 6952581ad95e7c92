import { expect, test } from 'vitest'
import { createCollectGarbage } from '../src/loop/idle-memory.ts'

test('what nobody uses any more is given back at once', () => {
  const collect = createCollectGarbage()
  collect()
  const before = process.memoryUsage().heapUsed
  let used: number[][] | null = Array.from({ length: 200 }, (_, n) =>
    Array.from({ length: 10_000 }, (_, m) => n + m + 0.5),
  )
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(used.length * 10_000 * 4)
  used = null
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000)
})
