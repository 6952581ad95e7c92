import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bug, buildPrograms } from './building.ts'
import { type CrowdPlan, clean, judgeCrowd, thisHost } from './crowd.ts'
import { isLong, longest, report } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? 1)

const plan = (built: string, kills: number): CrowdPlan => ({
  programs: built,
  hosts: [thisHost],
  size: 8,
  acksPerKill: 120,
  kills,
  stopEvery: 4,
  seed,
})

test('many processes: [C-ALL-1, C-ALL-3, C-INBOX-3, C-INBOX-7] one holder per task, the stale one refused, counters add up', {
  timeout: longest,
}, async () => {
  const { figures, faults } = await judgeCrowd(plan(programs, isLong ? 100 : 12))
  report('many processes', { ...figures, seed })
  expect(faults).toBe('')
  expect(figures).toMatchObject(clean)
  expect(figures.stale).toBeGreaterThan(0)
  expect(figures.overtaken).toBeGreaterThan(0)
})

const planted = async (bug: Bug) => {
  const built = await buildPrograms(bug)
  const judged = await judgeCrowd(plan(built, 4))
  await rm(built, { recursive: true, force: true })
  report('many processes, planted', { ...judged.figures, seed })
  return judged
}

test('many processes: a build that ends a task without looking at the hold is caught', async () => {
  const { figures } = await planted('no-fence')
  expect(figures.accepted).toBeGreaterThan(0)
})

test('many processes: a build whose update is a load and a save is caught', async () => {
  const { faults } = await planted('load-then-save')
  expect(faults).toContain('lost: counter')
})
