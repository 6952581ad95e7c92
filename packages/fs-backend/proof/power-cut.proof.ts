import { watch } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPrograms } from './building.ts'
import { type Disk, openDisk } from './disk.ts'
import type { Case } from './programs/verifier.ts'
import { isLong, longest, report, startWriter, type Verified, verify, type Writer } from './writing.ts'

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

/** What was acknowledged after the power was gone was written to nowhere; the line says at which one it surely was on. */
const cutNow = async (writer: Writer, disk: Disk, cut: () => Promise<void>): Promise<string[]> => {
  const said = writer.log.length
  await cut()
  await writer.kill()
  await disk.remount()
  const answered = writer.log.findIndex((line, n) => n >= said && line.startsWith('ERR'))
  return answered < 0 ? writer.log : writer.log.slice(0, answered)
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
  return { name, root, log: await cutNow(writer, disk, cut) }
}

/** When a task file has its second name, in the folder it goes to, and still the first. */
const cutInMove = async (built: string, disk: Disk, name: string, rounds: number): Promise<Case> => {
  const root = join(disk.folder, name)
  const writer = await startWriter(built, root)
  await writer.go(1, rounds)
  const cut = await disk.prepareCut()
  const watcher = watch(join(root, 'tasks', 'alpha', rounds % 2 ? 'active' : 'closed'))
  await new Promise<void>((resolve) => {
    watcher.on('change', (_, filename) => filename === 't.md' && resolve())
    writer.start(rounds + 1, 100, () => undefined)
  })
  watcher.close()
  return { name, root, log: await cutNow(writer, disk, cut) }
}

type CutOnce = (disk: Disk, n: number) => Promise<Case>

const cuts = async (count: number, once: CutOnce): Promise<Verified> => {
  await using disk = await openDisk(256 * mebibyte)
  const cases: Case[] = []
  for (let n = 0; n < count; n += 1) cases.push(await once(disk, n))
  return await verify(programs, cases)
}

const moment = (n: number): number => 2 + ((n * 7) % 46)

const afterAck =
  (built: string): CutOnce =>
  (disk, n) =>
    cutAfterAck(built, disk, `ack-${n}`, moment(n))

test('power cut: [C-ALL-1] what was acknowledged is there when the power comes back', {
  timeout: longest,
}, async () => {
  const count = isLong ? 200 : 10
  const atWork: CutOnce = (disk, n) => cutAtWork(programs, disk, `work-${n}`, moment(n) * 2)
  const { faults, ...figures } = await cuts(count, (disk, n) => (n % 2 ? atWork : afterAck(programs))(disk, n))
  report('power cut', { cuts: count, ...figures })
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
})

test('power cut: [C-ALL-1, C-TASK-4] a file on its way from one folder to the other is one file afterwards', {
  timeout: longest,
}, async () => {
  const count = isLong ? 100 : 10
  const { faults, ...figures } = await cuts(count, (disk, n) => cutInMove(programs, disk, `move-${n}`, 2 + (n % 2)))
  report('power cut in a move', { cuts: count, ...figures })
  expect(faults).toBe('')
  expect(figures).toMatchObject({ lost: 0, dup: 0, torn: 0, order: 0, stray: 0 })
})

test('power cut: a build that does not sync folders is caught', async () => {
  const built = await buildPrograms('no-folder-fsync')
  const { faults, ...figures } = await cuts(4, afterAck(built))
  await rm(built, { recursive: true, force: true })
  report('power cut, planted', { cuts: 4, ...figures })
  expect(figures.lost).toBeGreaterThan(0)
  expect(faults).not.toBe('')
})
