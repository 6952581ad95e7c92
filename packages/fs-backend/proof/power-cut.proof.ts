import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPrograms } from './building.ts'
import { type Disk, openDisk } from './disk.ts'
import type { Case } from './programs/verifier.ts'
import { isLong, longest, report, startWriter, type Verified, verify } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const mebibyte = 1024 * 1024

/** Acknowledged and waiting: what was said last must already be on the disk. */
const cutAfterAck = async (built: string, disk: Disk, name: string, acks: number): Promise<Case> => {
  const root = join(disk.folder, name)
  const writer = await startWriter(built, root)
  const cut = await disk.prepareCut()
  await writer.goUntil(1, 3, acks)
  await cut()
  await writer.kill()
  await disk.remount()
  return { name, root, log: writer.log }
}

/** In the middle of its work, once it has said so many lines. */
const cutAtWork = async (built: string, disk: Disk, name: string, lines: number): Promise<Case> => {
  const root = join(disk.folder, name)
  const writer = await startWriter(built, root)
  const cut = await disk.prepareCut()
  await new Promise<void>((resolve) => {
    let left = lines
    writer.start(1, 100, () => {
      left -= 1
      if (left === 0) resolve()
    })
  })
  const said = writer.log.length
  await cut()
  await writer.kill()
  await disk.remount()
  // What was acknowledged after the power was gone was written to nowhere; the line says at which one it surely was on.
  const answered = writer.log.findIndex((line, n) => n >= said && line.startsWith('ERR'))
  return { name, root, log: answered < 0 ? writer.log : writer.log.slice(0, answered) }
}

const cuts = async (built: string, count: number, isAtWork: (n: number) => boolean): Promise<Verified> => {
  await using disk = await openDisk(256 * mebibyte)
  const cases: Case[] = []
  for (let n = 0; n < count; n += 1) {
    const moment = 2 + ((n * 7) % 46)
    cases.push(
      isAtWork(n)
        ? await cutAtWork(built, disk, `work-${n}`, moment * 2)
        : await cutAfterAck(built, disk, `ack-${n}`, moment),
    )
  }
  return await verify(programs, cases)
}

test('power cut: [C-ALL-1] what was acknowledged is there when the power comes back', {
  timeout: longest,
}, async () => {
  const count = isLong ? 200 : 10
  const { faults, ...figures } = await cuts(programs, count, (n) => n % 2 === 1)
  report('power cut', { cuts: count, ...figures })
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
})

test('power cut: a build that does not sync folders is caught', async () => {
  const built = await buildPrograms('no-folder-fsync')
  const { faults, ...figures } = await cuts(built, 4, () => false)
  await rm(built, { recursive: true, force: true })
  report('power cut, planted', { cuts: 4, ...figures })
  expect(figures.lost).toBeGreaterThan(0)
  expect(faults).not.toBe('')
})
