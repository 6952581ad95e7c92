import { appendFileSync, mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Records, readConfig, storeNames } from '@nexus/core'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { fillStore, recordOf } from '../proof/records.ts'
import { endOf } from '../src/move/ends.ts'
import { finishMove } from '../src/move/finish.ts'
import { openMoveFolder } from '../src/move/folder.ts'
import { type OrderOptions, runMove } from '../src/move/orders.ts'
import { type Site, turnedRound } from '../src/move/site.ts'
import { undoMove as undoMoveOf } from '../src/move/undo.ts'

const { signal } = new AbortController()
const progress = { begin() {}, add() {}, end() {}, say() {}, [Symbol.dispose]() {} }
const options: OrderOptions = { signal, progress, patienceMs: 0 }
const undoMove = (site: Site, given: OrderOptions, targetLost: string | null = null) =>
  undoMoveOf(site, { ...given, targetLost })

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

test('one migrator at a time: the root is locked until a move is over', async () => {
  const { site } = await openSite()
  const tried: unknown[] = []
  const begin = (): void => void tried.push(site.folder.lock().then(() => 'taken', String))
  await runMove(site, { ...options, progress: { ...progress, begin }, leaveCorrupt: false })
  const told = await Promise.all(tried)
  expect(told.length).toBeGreaterThan(10)
  expect(told.filter((one) => !/Another migrator is at work/.test(String(one)))).toEqual([])
})

test('that unreadable records may stay is remembered', async () => {
  const { site } = await openSite()
  const { records } = site.ends.source
  const corrupt = [{ name: 'cut', place: 'cut.json', reason: 'not JSON', rev: '1' }]
  const spoiled: Records = {
    ...records,
    read: async (store, page, given) => ({ ...(await records.read(store, page, given)), corrupt }),
  }
  const source = { ...site.ends.source, records: spoiled }
  const { target } = site.ends
  const dying = { ...target, records: { ...target.records, write: () => Promise.reject(new Killed()) } }
  const killed = runMove({ ...site, ends: { source, target: dying } }, { ...options, leaveCorrupt: true })
  await expect(killed).rejects.toThrow(Killed)
  const moved = await runMove({ ...site, ends: { source, target } }, { ...options, leaveCorrupt: false })
  expect([moved.leave_corrupt, moved.verified?.map(({ left }) => left)]).toEqual([true, [1, 1, 1, 1, 1]])
})

describe('another database or root than the one of the move', () => {
  /** The same site with another backend in the place of one that is gone. */
  const withOther = async (site: Site, side: 'source' | 'target') => {
    const other = openMemoryBackend(createFakes().context)
    await other.hostState.save('dear', 1)
    const { name } = site.ends[side]
    const backends = { ...site.backends, [name]: other }
    return { other, site: { ...site, backends, ends: { ...site.ends, [side]: { ...endOf(other), name } } } }
  }
  const refusal = (name: string) => ({
    exit: 'configuration',
    message: expect.stringMatching(new RegExp(`^This ${name} is not the one that the move \\S+ was begun with`)),
  })

  for (const side of ['source', 'target'] as const)
    test(`is not undone, finished or gone on with on another ${side}`, async () => {
      const { site } = await openSite()
      const moved = await runMove(site, { ...options, leaveCorrupt: false })
      const changed = await withOther(site, side)
      const refused = refusal(changed.site.ends[side].name)
      await expect(undoMove(changed.site, options)).rejects.toMatchObject(refused)
      await expect(finishMove(changed.site, { ...options, force: true })).rejects.toMatchObject(refused)
      await expect(runMove(changed.site, { ...options, leaveCorrupt: false })).rejects.toMatchObject(refused)
      expect((await changed.other.hostState.load('dear'))?.value).toBe(1)
      expect(await site.folder.list()).toEqual([moved])
      for (const end of [site.ends.source, site.ends.target])
        expect(await keysOf(end)).toEqual(['state_0', 'state_1', 'state_2'])
    })

  test('a move under way is not given up on another target', async () => {
    const { site } = await openSite()
    const { source, target } = site.ends
    const dying = { ...target, records: { ...target.records, write: () => Promise.reject(new Killed()) } }
    const run = runMove({ ...site, ends: { source, target: dying } }, { ...options, leaveCorrupt: false })
    await expect(run).rejects.toThrow(Killed)
    const changed = await withOther(site, 'target')
    await expect(undoMove(changed.site, options)).rejects.toMatchObject(refusal('postgres'))
    expect((await changed.other.hostState.load('dear'))?.value).toBe(1)
    expect((await undoMove(site, options)).phase).toBe('undone')
  })

  test('where the target is lost for good, the source is opened again as it was moved', async () => {
    const { site, filesystem, postgres } = await openSite()
    const { places } = await runMove(site, { ...options, leaveCorrupt: false })
    await postgres.hostState.save('since', 1)
    await expect(undoMove(site, options, places.to)).rejects.toThrow(
      /^--target-lost: the postgres of this move is there/,
    )
    const lostSource = await withOther(site, 'source')
    await expect(undoMove(lostSource.site, options, places.to)).rejects.toMatchObject(refusal('filesystem'))
    const changed = await withOther(site, 'target')
    const present = await endOf(changed.other).records.identity()
    await expect(undoMove(changed.site, options, present)).rejects.toMatchObject({
      exit: 'usage',
      message: `--target-lost ${present}: the postgres of this move is ${places.to}, and nothing was changed. If that one is lost for good, and every host is stopped, give its identity.`,
    })
    expect(await endOf(filesystem).records.moved()).toHaveLength(storeNames.length)
    expect((await undoMove(changed.site, options, places.to)).phase).toBe('undone')
    expect(await filesystem.hostState.load('since')).toBeNull()
    expect(await keysOf(site.ends.source)).toEqual(['state_0', 'state_1', 'state_2'])
    expect((await changed.other.hostState.load('dear'))?.value).toBe(1)
    expect(await endOf(changed.other).records.moved()).toEqual([])
  })

  test('after a move is finished the stores can move back to where they were', async () => {
    const { site } = await openSite()
    await runMove(site, { ...options, leaveCorrupt: false })
    await finishMove(site, { ...options, force: false })
    const back = await runMove(turnedRound(site), { ...options, leaveCorrupt: false })
    expect(back).toMatchObject({ phase: 'moved', from: 'postgres', to: 'filesystem', undoes: null })
    expect(await keysOf(site.ends.source)).toEqual(['state_0', 'state_1', 'state_2'])
  })
})

describe('records that come to the source after it was closed', () => {
  const [late, odd] = [recordOf('hostState', 77), recordOf('hostState', 2)]
  const held = recordOf('inbox', 1)
  const again = { ...held, id: '0h9late', idempotencyKey: null }
  const files = [7, 8].map((n) => recordOf('taskFiles', n))
  const closed = files.map((file) => ({ ...file, state: 'closed' }))

  /** A move of three records each, after which hosts work at the target and writers that were held up write to the source. */
  const movedWithStrays = async () => {
    const opened = await openSite()
    const { source, target } = opened.site.ends
    await source.records.write('taskFiles', files)
    await runMove(opened.site, { ...options, leaveCorrupt: false })
    await opened.postgres.hostState.delete('state_0')
    await opened.postgres.hostState.save('since', 1)
    await opened.postgres.hostState.save('state_1', 'worked on')
    await source.records.write('hostState', [late])
    return { ...opened, source, target }
  }

  const targetKeys = ['since', 'state_1', 'state_2', 'state_77']

  test('are moved too by run; what hosts have deleted or changed since stays so', async () => {
    const { site, postgres, target } = await movedWithStrays()
    expect((await runMove(site, { ...options, leaveCorrupt: false })).phase).toBe('moved')
    expect(await keysOf(target)).toEqual(targetKeys)
    expect((await target.records.find('hostState', ['state_77']))[0]).toEqual(late)
    expect((await postgres.hostState.load('state_1'))?.value).toBe('worked on')
  })

  test('are moved too before finish deletes the copy', async () => {
    const { site, source, target } = await movedWithStrays()
    expect((await finishMove(site, { ...options, force: false })).phase).toBe('finished')
    expect([await keysOf(source), await keysOf(target)]).toEqual([[], targetKeys])
  })

  test('are brought once: what hosts have deleted at the target since stays deleted', async () => {
    const { site, postgres, target } = await movedWithStrays()
    await runMove(site, { ...options, leaveCorrupt: false })
    await postgres.hostState.delete('state_77')
    const said: string[] = []
    const told = { ...options, progress: { ...progress, say: (line: string) => void said.push(line) } }
    await runMove(site, { ...told, leaveCorrupt: false })
    await finishMove(site, { ...told, force: true })
    expect([await keysOf(target), said]).toEqual([['since', 'state_1', 'state_2'], []])
  })

  test('and those that were left are not brought when the target has deleted its own since', async () => {
    const { site, source, target } = await movedWithStrays()
    await source.records.write('inbox', [again])
    const order = () => runMove(site, { ...options, leaveCorrupt: false })
    const left = /inbox 0h9late: came late, and postgres had it already, otherwise or under another name/
    await expect(order()).rejects.toThrow(left)
    await target.records.remove('inbox', [held.id])
    await expect(order()).rejects.toThrow(left)
    expect(await target.records.find('inbox', [held.id, '0h9late'])).toEqual([])
  })

  test('are told apart also where a sheet was cut off in the middle of a row', async () => {
    const { site, source, target } = await movedWithStrays()
    const sheet = join(site.root, '.move', `${(await site.folder.list())[0]?.id}.hostState.sheet`)
    appendFileSync(sheet, 'cut off')
    await runMove(site, { ...options, leaveCorrupt: false })
    expect(statSync(sheet).size).toBe(4 * 32)
    await source.records.write('hostState', [recordOf('hostState', 78)])
    await target.records.remove('hostState', ['state_77'])
    await runMove(site, { ...options, leaveCorrupt: false })
    expect(await keysOf(target)).toEqual(['since', 'state_1', 'state_2', 'state_78'])
  })

  test('come back with the rest when the move is taken back', async () => {
    const { site, source } = await movedWithStrays()
    expect((await undoMove(site, options)).phase).toBe('undone')
    expect(await keysOf(source)).toEqual(targetKeys)
  })

  test('are named and stay where the copy changed, or the target has them under another name', async () => {
    const { site, source, target } = await movedWithStrays()
    await source.records.write('hostState', [{ ...odd, data: '"changed"' }])
    await source.records.write('inbox', [again])
    await source.records.write('taskFiles', closed)
    const lines = [
      '["delta","task-7.md","closed"]: came late, and postgres had it already, otherwise or under another name',
      '["alpha","task-8.md","closed"]: came late, and postgres had it already, otherwise or under another name',
    ].map((line) => `taskFiles ${line}`)
    const taken = 'inbox 0h9late: came late, and postgres had it already, otherwise or under another name'
    const orders = [
      () => runMove(site, { ...options, leaveCorrupt: false }),
      () => finishMove(site, { ...options, force: false }),
    ]
    for (const order of orders) {
      const failure: unknown = await order().catch((error: unknown) => error)
      expect(failure).toMatchObject({ exit: 'different' })
      for (const line of ['hostState state_2: changed in filesystem after that was closed', ...lines, taken])
        expect(String(failure)).toContain(line)
    }
    expect(await keysOf(source)).toEqual(['state_0', 'state_1', 'state_2', 'state_77'])
    expect((await target.records.find('hostState', ['state_2']))[0]).toEqual(odd)
    expect(await target.records.find('inbox', ['0h9late'])).toEqual([])
  })
})

describe('finishing a move', () => {
  test('what hosts have deleted at the target since goes from the copy too', async () => {
    const { site, postgres } = await openSite()
    await runMove(site, { ...options, leaveCorrupt: false })
    await postgres.hostState.delete('state_1')
    expect((await finishMove(site, { ...options, force: false })).phase).toBe('finished')
    expect([await keysOf(site.ends.source), await keysOf(site.ends.target)]).toEqual([[], ['state_0', 'state_2']])
  })

  test('what comes while the copy is deleted stays, and is moved when it is repeated', async () => {
    const { site } = await openSite()
    await runMove(site, { ...options, leaveCorrupt: false })
    const { source, target } = site.ends
    const late = recordOf('hostState', 77)
    const remove: Records['remove'] = async (store, keys, given) => {
      if (store === 'workflows') await source.records.write('hostState', [late])
      await source.records.remove(store, keys, given)
    }
    const meeting = { ...site, ends: { source: { ...source, records: { ...source.records, remove } }, target } }
    await expect(finishMove(meeting, { ...options, force: false })).rejects.toMatchObject({
      exit: 'different',
      message:
        '1 records have come to filesystem while its copy was deleted, and stay there. Repeat this, and they are moved too: nexus-admin migrate finish --from filesystem --to postgres --store all',
    })
    expect(await keysOf(source)).toEqual(['state_77'])
    expect((await finishMove(site, { ...options, force: false })).phase).toBe('finished')
    expect([await keysOf(source), await keysOf(target)]).toEqual([[], ['state_0', 'state_1', 'state_2', 'state_77']])
  })
})
