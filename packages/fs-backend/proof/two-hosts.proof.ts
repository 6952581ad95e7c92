import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPrograms } from './building.ts'
import { clean, judgeCrowd, thisHost } from './crowd.ts'
import { startHost } from './hosts.ts'
import { isLong, longest, report } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? 1)

const judgeHosts = async (built: string, kills: number) => {
  await using other = await startHost()
  const hosts = [thisHost, other]
  const { figures, faults } = await judgeCrowd({
    programs: built,
    hosts,
    size: 8,
    acksPerKill: 120,
    kills,
    stopEvery: 4,
    seed,
  })
  return { figures: { hosts: hosts.length, ...figures, seed }, faults }
}

test('two hosts: [C-INBOX-12] nobody resumes what a living process of the other host holds; all else as on one', {
  timeout: longest,
}, async () => {
  const { figures, faults } = await judgeHosts(programs, isLong ? 100 : 10)
  report('two hosts', figures)
  expect(faults).toBe('')
  expect(figures).toMatchObject(clean)
  expect(figures.resumed).toBeGreaterThan(0)
})

test('two hosts: a build that looks at the process id alone is caught', async () => {
  const built = await buildPrograms('pid-alone')
  const { figures } = await judgeHosts(built, 4)
  await rm(built, { recursive: true, force: true })
  report('two hosts, planted', figures)
  expect(figures.stolen).toBeGreaterThan(0)
})
