import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshRoot } from '../test/harness.ts'
import { longestBlock } from './blocking.ts'
import { buildPrograms } from './building.ts'
import { createRecords } from './many-records.ts'
import type { ListFigures } from './programs/lister.ts'
import { isLong, longest, report } from './writing.ts'

const few = 1000
const many = isLong ? 100_000 : 5000
/** So many that going through them at once shows on any machine. */
const paused = 10_000

let programs = ''
const roots: string[] = []
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(async () => {
  for (const path of [programs, ...roots]) await rm(path, { recursive: true, force: true })
})

const filled = async (count: number): Promise<string> => {
  const root = await freshRoot()
  roots.push(root)
  createRecords(root, count)
  return root
}

const list = async (built: string, root: string, count: number): Promise<ListFigures> => {
  const args = ['--expose-gc', `${built}/lister.mjs`, root, String(count)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as ListFigures
}

const rounded = (value: number): number => Math.round(value * 10) / 10

test('scale: lists read what they show, and one issue costs the same among many', { timeout: longest }, async () => {
  const small = await list(programs, await filled(few), few)
  const large = await list(programs, await filled(many), many)
  for (const [name, walked] of Object.entries(large.lists)) {
    const { first, second, walk, cpu, pages, wrong, reads, facts, growth } = walked
    const rest = { pageCpuMs: Math.round(cpu), factsMb: rounded(facts), growthMb: rounded(growth) }
    report(`scale, ${name}`, {
      of: many,
      firstMs: first,
      againMs: second,
      walkMs: walk,
      pages,
      reads,
      wrong,
      ...rest,
    })
  }
  const { asked, unseen, readAgain, blocked, idle } = large
  report('scale, one issue', {
    scanMs: `${rounded(small.asked.scan)}->${rounded(asked.scan)}`,
    historyMs: `${rounded(small.asked.history)}->${rounded(asked.history)}`,
    loadMs: `${rounded(small.asked.load)}->${rounded(asked.load)}`,
    reads: `${rounded(small.asked.reads)}->${rounded(asked.reads)}`,
    unseen,
  })
  report('scale, event loop', { of: many, blockedMs: rounded(blocked), idleMs: rounded(idle) })
  expect(Object.values(large.lists).map(({ wrong }) => wrong)).toEqual([0, 0, 0, 0])
  const { workflows, tasks, completions, keys } = large.lists
  expect([workflows?.reads, completions?.reads, keys?.reads]).toEqual([1000, 1000, 0])
  // A task file and its facts.
  expect(tasks?.reads).toBeLessThanOrEqual(2000)
  expect(asked.reads).toBe(small.asked.reads)
  expect({ unseen, readAgain }).toEqual({ unseen: 0, readAgain: 1 })
  for (const { growth } of Object.values(large.lists)) expect(growth).toBeLessThan(8)
  expect(blocked).toBeLessThan(longestBlock)
})

test('scale: a build that believes the time of modification is caught', async () => {
  const built = await buildPrograms('mtime-stamp')
  const { unseen } = await list(built, await filled(few), few)
  await rm(built, { recursive: true, force: true })
  report('scale, planted', { of: few, unseen })
  expect(unseen).toBe(1)
})

test('scale: a build that goes through a folder without a pause is caught', async () => {
  const built = await buildPrograms('endless-slices')
  const { blocked } = await list(built, await filled(paused), paused)
  await rm(built, { recursive: true, force: true })
  report('scale, planted', { of: paused, blockedMs: rounded(blocked) })
  expect(blocked).toBeGreaterThan(longestBlock)
})
