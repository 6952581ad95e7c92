import { rm } from 'node:fs/promises'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { expect, test } from 'vitest'
import { createSequence } from '../src/completions/sequence.ts'
import { openTools } from '../src/tools.ts'
import { freshRoot } from './harness.ts'

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

test('[C-COMPLETION-6] numbers that are taken together grow, and no two openings have one of them', async () => {
  const root = await freshRoot()
  const openings = await Promise.all(
    [1, 2, 3].map(async () => createSequence(await openTools(root, context, () => false))),
  )
  const given: number[] = []
  for (let round = 0; round < 40; round += 1) {
    const before = Math.max(0, ...given)
    const asked = openings.flatMap(({ next }, n) =>
      Array.from({ length: 1 + ((round * 7 + n * 5) % 23) }, () => next()),
    )
    const numbers = (await Promise.all(asked)).map(({ number }) => number)
    expect(Math.min(...numbers)).toBeGreaterThan(before)
    given.push(...numbers)
  }
  expect(new Set(given).size).toBe(given.length)
  await rm(root, { recursive: true })
})
