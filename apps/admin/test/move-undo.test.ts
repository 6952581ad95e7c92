import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig, storeNames } from '@nexus/core'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { fillStore, recordOf } from '../proof/records.ts'
import { endOf } from '../src/move/ends.ts'
import { openMoveFolder } from '../src/move/folder.ts'
import { finishMove, type OrderOptions, runMove, undoMove } from '../src/move/orders.ts'
import { type Site, turnedRound } from '../src/move/site.ts'

const { signal } = new AbortController()
const progress = { begin() {}, add() {}, end() {}, say() {}, [Symbol.dispose]() {} }
const options: OrderOptions = { signal, progress, patienceMs: 0 }

/** Five stores of three records, which are on files and are to move to a database. */
const openSite = async () => {
  const root = mkdtempSync(join(tmpdir(), 'nexus-move-'))
  const [filesystem, postgres] = [openMemoryBackend(createFakes().context), openMemoryBackend(createFakes().context)]
  const ends = {
    source: { ...endOf(filesystem), name: 'filesystem' },
    target: { ...endOf(postgres), name: 'postgres' },
  }
  for (const store of storeNames) await fillStore(ends.source.records, store, 3)
  const site: Site = {
    config: readConfig({ NEXUS_DIR: root }),
    root,
    direction: { from: 'filesystem', to: 'postgres', stores: [...storeNames] },
    backends: { filesystem, postgres },
    ends,
    folder: openMoveFolder(root),
  }
  return { site, filesystem, postgres }
}

class Killed extends Error {}

/** A move there, and one back that is killed at its first write to the copy. */
const halfUndone = async () => {
  const opened = await openSite()
  const { site, postgres } = opened
  const moved = await runMove(site, { ...options, leaveCorrupt: false })
  await postgres.hostState.save('since', 1)
  const { source, target } = site.ends
  const dying = { ...source, records: { ...source.records, write: () => Promise.reject(new Killed()) } }
  await expect(undoMove({ ...site, ends: { source: dying, target } }, options)).rejects.toThrow(Killed)
  return { ...opened, moved }
}

const keysOf = async ({ records }: Site['ends']['source']) =>
  (await records.read('hostState')).items.map(({ key }) => key).sort()

describe('taking a move back', () => {
  test('a half-done move back that is given up leaves the kept copy, closed', async () => {
    const { site, filesystem } = await halfUndone()
    expect((await undoMove(turnedRound(site), options)).phase).toBe('undone')
    expect(await keysOf(site.ends.source)).toEqual(['state_0', 'state_1', 'state_2'])
    await expect(filesystem.hostState.load('since')).rejects.toMatchObject({ movedTo: 'postgres' })
  })

  test('after that the move itself can still be taken back, by another move back', async () => {
    const { site, filesystem, moved } = await halfUndone()
    await undoMove(turnedRound(site), options)
    expect(await undoMove(site, options)).toMatchObject({ id: moved.id, phase: 'undone' })
    expect((await filesystem.hostState.load('since'))?.value).toBe(1)
    const known = (await site.folder.list()).map(({ phase, undoes }) => [phase, undoes])
    expect(known).toEqual([
      ['undone', null],
      ['undone', moved.id],
      ['moved', moved.id],
    ])
  })

  test('a move that no longer says where the stores are is not taken back', async () => {
    const { site } = await openSite()
    await runMove(site, { ...options, leaveCorrupt: false })
    await site.ends.source.records.unmarkMoved(['hostState'])
    await expect(undoMove(site, options)).rejects.toThrow(/^This move from filesystem to postgres no longer says/)
    expect(await site.folder.list()).toHaveLength(1)
  })
})

describe('finishing a move', () => {
  test('what the target has not stays, and is told', async () => {
    const { site, postgres } = await openSite()
    await runMove(site, { ...options, leaveCorrupt: false })
    await postgres.hostState.delete('state_1')
    const finishing = finishMove(site, { ...options, force: false })
    await expect(finishing).rejects.toMatchObject({
      exit: 'different',
      message: expect.stringMatching(/^1 records stay/),
    })
    expect(await keysOf(site.ends.source)).toEqual(['state_1'])
    // Repeated, it goes on without them, and takes nothing that came since.
    await site.ends.source.records.write('hostState', [recordOf('hostState', 77)])
    await expect(finishMove(site, { ...options, force: false })).rejects.toThrow(/^2 records stay/)
    expect((await finishMove(site, { ...options, force: true })).phase).toBe('finished')
    expect(await keysOf(site.ends.source)).toEqual([])
  })
})
