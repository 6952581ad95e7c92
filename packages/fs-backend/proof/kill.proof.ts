import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bug, buildPrograms } from './building.ts'
import { type Point, pointsOf } from './points.ts'
import type { Case } from './programs/verifier.ts'
import { trace } from './strace.ts'
import { freshFolder, inPairs, isLong, longest, report, sample, startWriter, type Verified, verify } from './writing.ts'

let programs = ''
let folder = ''
beforeAll(async () => {
  programs = await buildPrograms()
  folder = await freshFolder()
})
afterAll(async () => {
  await rm(programs, { recursive: true, force: true })
  await rm(folder, { recursive: true, force: true })
})

/** Two rounds: what is made in the first is replaced, moved back and removed in the second. */
const rounds = 2

/** Null where the point was never reached. */
const killedAt = async (built: string, name: string, { call, n }: Point): Promise<Case | null> => {
  const root = join(folder, name)
  const writer = await startWriter(built, root)
  const tracer = await trace(writer.pid, { call, fault: `signal=KILL:when=${n}` })
  const isThrough = await writer.go(1, rounds)
  await tracer.detach()
  await writer.kill()
  return isThrough ? null : { name, root, log: writer.log }
}

const sweep = async (
  built: string,
  name: string,
  points: readonly Point[],
): Promise<Verified & { points: number; missed: number }> => {
  const cases = await inPairs(points, (point) => killedAt(built, `${name}-${point.call}-${point.n}`, point))
  const killed = cases.filter((one) => one !== null)
  return { points: killed.length, missed: points.length - killed.length, ...(await verify(programs, killed)) }
}

test('kill sweep: [C-ALL-1, C-FILES-2] a process killed at any system call loses, tears and doubles nothing', {
  timeout: longest,
}, async () => {
  const all = await pointsOf(programs, folder, rounds)
  const { faults, ...figures } = await sweep(programs, 'kill', sample(all, isLong ? 600 : 62))
  report('kill sweep', { of: all.length, ...figures })
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
  expect(figures.points).toBeGreaterThanOrEqual(isLong ? 300 : 60)
})

test('kill sweep: a build that copies instead of renaming is caught', async () => {
  const bug: Bug = 'copy-for-rename'
  const built = await buildPrograms(bug)
  const all = await pointsOf(built, join(folder, bug), rounds)
  const unlinks = all.filter(({ call }) => call === 'unlink')
  const { faults, ...figures } = await sweep(built, bug, sample(unlinks, 6))
  await rm(built, { recursive: true, force: true })
  report('kill sweep, planted', figures)
  expect(faults).not.toBe('')
})
