import { silentLogger } from '@nexus/core'
import { expect, test } from 'vitest'
import { type Blow, createFuse } from '../src/task/fuse.ts'

const createTrial = () => {
  let now = 1_000
  const told: (Blow | null)[] = []
  const fuse = createFuse({
    failures: 3,
    coolDownMs: 60_000,
    clock: { now: () => now, monotonic: () => now },
    logger: silentLogger,
    onChange: (_, blow) => told.push(blow),
  })
  return { fuse, told, pass: (ms: number) => (now += ms) }
}

test('a role that fails so often in a row is not started, and its success begins anew', () => {
  const { fuse, told } = createTrial()
  for (const _ of [1, 2]) fuse.failed('developer', 'no key')
  fuse.worked('@Developer')
  for (const _ of [1, 2]) fuse.failed('developer', 'no key')
  expect(fuse.waitMs('developer')).toBe(null)
  fuse.failed('developer', 'no key')
  expect(fuse.waitMs('Developer')).toBe(60_000)
  expect(fuse.waitMs('reviewer')).toBe(null)
  expect(told).toEqual([{ failures: 3, error: 'no key', until: new Date(61_000) }])
})

test('after the cool-down one is tried: its failure keeps the others waiting, its success lets them go', () => {
  const { fuse, told, pass } = createTrial()
  for (const _ of [1, 2, 3]) fuse.failed('developer', 'no key')
  pass(60_000)
  expect(fuse.waitMs('developer')).toBe(null)
  expect(fuse.waitMs('developer')).toBe(60_000)
  pass(5_000)
  fuse.failed('developer', 'still no key')
  expect(fuse.waitMs('developer')).toBe(60_000)
  pass(60_000)
  expect(fuse.waitMs('developer')).toBe(null)
  fuse.worked('developer')
  expect(fuse.waitMs('developer')).toBe(null)
  expect(fuse.blown().size).toBe(0)
  expect(told.at(-1)).toBe(null)
})
