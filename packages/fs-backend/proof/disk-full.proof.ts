import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPrograms } from './building.ts'
import { openDisk } from './disk.ts'
import { report, startWriter, verify } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

/** Without a journal, which would not fit; with room for many small files. */
const format = ['-b', '1024', '-N', '1500', '-O', '^has_journal', '-m', '0']
const ballast = 512 * 1024

/** Rounds until the disk is full and beyond, then one more in the same process when there is room again. */
const fill = async (built: string) => {
  await using disk = await openDisk(2 * 1024 * 1024, ...format)
  const spare = join(disk.folder, 'ballast')
  await writeFile(spare, Buffer.alloc(ballast, 1))
  const root = join(disk.folder, 'root')
  const writer = await startWriter(built, root)
  let round = 0
  do round += 1
  while ((await writer.go(round, round)) && !writer.log.some((line) => line.startsWith('ERR')) && round < 200)
  await writer.go(round + 1, round + 1)
  const refused = writer.log.filter((line) => line.startsWith('ERR')).length
  const unread = writer.log.filter((line) => line.startsWith('READ ') && line !== 'READ ok')
  const untyped = writer.log.filter((line) => line.includes('untyped'))
  await rm(spare)
  const full = writer.log.length
  await writer.go(round + 2, round + 2)
  const still = writer.log.slice(full).filter((line) => line.startsWith('ERR'))
  await writer.kill()
  const { faults, ...figures } = await verify(programs, [{ name: 'full', root, log: writer.log }])
  return {
    figures: { rounds: round, refused, ...figures },
    faults: [...unread, ...untyped, ...still, faults].join('\n').trim(),
  }
}

test('disk full: [C-ALL-1, C-ALL-2] refused in words, read throughout, written again once there is room', async () => {
  const { figures, faults } = await fill(programs)
  report('disk full', figures)
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
  expect(figures.refused).toBeGreaterThan(0)
})

test('disk full: [C-FILES-2] what the system takes in pieces is written whole', async () => {
  const built = await buildPrograms('short-writes')
  const { figures, faults } = await fill(built)
  await rm(built, { recursive: true, force: true })
  report('short writes', figures)
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
})

test('disk full: a build that takes a short write for a whole one is caught', async () => {
  const built = await buildPrograms('write-once')
  const { figures, faults } = await fill(built)
  await rm(built, { recursive: true, force: true })
  report('disk full, planted', figures)
  expect(faults).not.toBe('')
})
