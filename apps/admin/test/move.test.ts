import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isStoreError, type Moved, type Records, StoreError, storeNames } from '@nexus/core'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { fillStore, recordOf } from '../proof/records.ts'
import { CommandError } from '../src/cli/exit.ts'
import { measureStore } from '../src/move/copy.ts'
import { type End, endOf } from '../src/move/ends.ts'
import { openMoveFolder } from '../src/move/folder.ts'
import type { Migration } from '../src/move/migration.ts'
import { type MoveTools, moveStores } from '../src/move/move.ts'

const { signal } = new AbortController()

type Places = Migration['places']

const fresh = (places: Places): Migration => ({
  version: 1,
  id: 'm1',
  from: 'filesystem',
  to: 'postgres',
  stores: [...storeNames],
  places,
  leave_corrupt: false,
  phase: 'copying',
  undoes: null,
  started_at: '2026-01-01T00:00:00.000Z',
  closed_at: null,
  moved_at: null,
  ended_at: null,
  passes: [],
  verified: null,
})

const silent: MoveTools['progress'] = { begin() {}, add() {}, end() {}, say() {}, [Symbol.dispose]() {} }

const openPair = async (amount: number) => {
  const [source, target] = [openMemoryBackend(createFakes().context), openMemoryBackend(createFakes().context)]
  for (const store of storeNames) await fillStore(endOf(source).records, store, amount)
  const places = { from: await endOf(source).records.identity(), to: await endOf(target).records.identity() }
  let file = fresh(places)
  const tools: MoveTools = {
    ends: { source: { ...endOf(source), name: 'filesystem' }, target: { ...endOf(target), name: 'postgres' } },
    save: async (migration) => {
      file = migration
    },
    quietDown: async () => ({ silent: [], async [Symbol.asyncDispose]() {} }),
    forget: async () => {},
    welcome: async () => {},
    progress: silent,
    signal,
    now: () => 0,
    sheets: openMoveFolder(mkdtempSync(join(tmpdir(), 'nexus-move-'))).sheets(file),
    totals: new Map(),
    over: [],
    leaveCorrupt: false,
  }
  return { source, target, tools, places, file: () => file }
}

const measures = async (end: End) =>
  Promise.all(storeNames.map(async (store) => ({ store, ...(await measureStore(end, store, { signal })) })))

const storesOf = async (marks: Promise<Moved[]>) => (await marks).map(({ store, to }) => `${store} to ${to}`).sort()

const refusal = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call
  } catch (error) {
    if (isStoreError(error)) return `${error.code} ${error.movedTo}`
    throw error
  }
  return 'taken'
}

class Killed extends Error {}

/** The n-th call of either side, counted from 1, never comes back: it is not made, or made and not answered. */
const dyingAt = (tools: MoveTools, n: number, when: 'before' | 'after'): { tools: MoveTools; calls(): number } => {
  let calls = 0
  const dying =
    <A extends unknown[], T>(call: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      calls += 1
      const dies = calls >= n
      if (dies && (when === 'before' || calls > n)) throw new Killed()
      const answer = await call(...given)
      if (dies) throw new Killed()
      return answer
    }
  const end = ({ name, records }: End): End => {
    const { read, find, write, remove, moved, markMoved, unmarkMoved, identity } = records
    const wrapped: Records = {
      read: dying(read) as Records['read'],
      find: dying(find) as Records['find'],
      write: dying(write) as Records['write'],
      remove: dying(remove),
      moved: dying(moved),
      markMoved: dying(markMoved),
      unmarkMoved: dying(unmarkMoved),
      identity: dying(identity),
    }
    return { name, records: wrapped }
  }
  const { source, target } = tools.ends
  const wrapped = { ...tools, ends: { source: end(source), target: end(target) }, save: dying(tools.save) }
  return { tools: wrapped, calls: () => calls }
}

describe('moving stores', () => {
  test('every record is there afterwards, the source is kept and closed, the target open', async () => {
    const { source, target, tools, file } = await openPair(150)
    const before = await measures(tools.ends.source)
    const moved = await moveStores(tools, file())
    expect(moved.phase).toBe('moved')
    expect(file()).toEqual(moved)
    expect(await measures(tools.ends.target)).toEqual(before)
    expect(await measures(tools.ends.source)).toEqual(before)
    expect(moved.verified).toEqual(before.map(({ corrupt, ...measure }) => ({ ...measure, left: corrupt })))
    expect(before.map(({ records }) => records)).toEqual([150, 150, 150, 150, 150])
    expect(await refusal(source.hostState.save('a', 1))).toBe('unavailable postgres')
    expect(await refusal(target.hostState.save('a', 1))).toBe('taken')
    expect(await storesOf(tools.ends.source.records.moved())).toEqual(storeNames.map((s) => `${s} to postgres`).sort())
    expect(await tools.ends.target.records.moved()).toEqual([])
  })

  test('what hosts write and delete while it copies is moved too; the target takes nothing until it is whole', async () => {
    const { source, target, tools, file } = await openPair(50)
    const told: string[] = []
    const busy: MoveTools = {
      ...tools,
      // The last moment at which hosts write.
      quietDown: async () => {
        told.push(await refusal(target.hostState.save('early', 1)))
        await source.hostState.save('late', { n: 1 })
        await source.hostState.delete('state_3')
        await source.taskFiles.close('beta', 'task-1.md')
        await source.inbox.enqueue([{ project: 'beta', filename: 'late.md', markdown: 'late' }])
        return tools.quietDown()
      },
    }
    await moveStores(busy, file())
    expect(told).toEqual(['unavailable filesystem'])
    expect((await target.hostState.load('late'))?.value).toEqual({ n: 1 })
    expect(await target.hostState.load('state_3')).toBeNull()
    expect((await target.taskFiles.load('beta', 'task-1.md'))?.state).toBe('closed')
    const { items } = await target.inbox.list({ project: 'beta', limit: 1000 })
    expect(items.filter(({ filename }) => filename === 'late.md')).toHaveLength(1)
    expect(await measures(tools.ends.target)).toEqual(await measures(tools.ends.source))
  })

  test('killed before or after any of its calls it goes on, and never is the target written to once others may', async () => {
    const whole = await openPair(3)
    const counted = dyingAt(whole.tools, Number.POSITIVE_INFINITY, 'before')
    await moveStores(counted.tools, whole.file())
    const calls = counted.calls()
    expect(calls).toBeGreaterThan(50)
    for (const when of ['before', 'after'] as const)
      for (let n = 1; n <= calls; n += 1) {
        const { source, target, tools, file } = await openPair(3)
        const before = await measures(tools.ends.source)
        await expect(moveStores(dyingAt(tools, n, when).tools, file()), `${when} ${n}`).rejects.toThrow(Killed)
        const isOpen = (await refusal(target.hostState.save('of a host', 1))) === 'taken'
        // Before the first mark, which follows a look at both places, at the marks and at each store, nobody knows of the
        // target; from then on one side at most is open.
        const wasBegun = n > storeNames.length + (when === 'before' ? 4 : 3)
        const sourceIsOpen = (await refusal(source.hostState.keys())) === 'taken'
        if (wasBegun) expect(isOpen && sourceIsOpen, `${when} ${n}`).toBe(false)
        if (!wasBegun) {
          await expect(moveStores(tools, file()), `${when} ${n}`).rejects.toThrow(
            /^hostState in postgres is open and holds/,
          )
          await target.hostState.delete('of a host')
        }
        expect((await moveStores(tools, file())).phase).toBe('moved')
        const after = (await target.hostState.load('of a host'))?.value ?? null
        expect(after, `${when} ${n}`).toBe(isOpen && wasBegun ? 1 : null)
        if (after !== null) await target.hostState.delete('of a host')
        expect(await measures(tools.ends.target), `${when} ${n}`).toEqual(before)
      }
  })

  test('what is held counts from the last pass: held tasks are written again, though they are equal', async () => {
    const { tools, file } = await openPair(60)
    const { records } = tools.ends.target
    const written: string[] = []
    let isLast = false
    const heard: Records = {
      ...records,
      async write(store, batch, options) {
        if (isLast && store === 'inbox') written.push(...batch.map((record) => ('id' in record ? record.id : '')))
        return records.write(store, batch, options)
      },
    }
    const quietDown: MoveTools['quietDown'] = async () => {
      isLast = true
      return tools.quietDown()
    }
    const ends = { ...tools.ends, target: { ...tools.ends.target, records: heard } }
    const moved = await moveStores({ ...tools, ends, quietDown }, file())
    expect(written).toEqual([recordOf('inbox', 7).id, recordOf('inbox', 57).id])
    expect(moved.passes.filter(({ kind }) => kind === 'last').map((pass) => pass.written)).toEqual([0, 0, 0, 0, 0])
  })

  test('what the target cannot keep is named, and the source stays open', async () => {
    const { source, tools, file } = await openPair(120)
    const { records } = tools.ends.target
    const picky: Records = {
      ...records,
      async write(store, batch, options) {
        const bad = batch.find((record) => 'key' in record && ['state_7', 'state_90'].includes(record.key))
        if (bad && 'key' in bad) throw new StoreError({ code: 'invalid', message: `The record ${bad.key} is odd.` })
        return records.write(store, batch, options)
      },
    }
    const ends = { ...tools.ends, target: { ...tools.ends.target, records: picky } }
    const failure = await moveStores({ ...tools, ends }, file()).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(CommandError)
    expect(failure).toMatchObject({
      exit: 'failed',
      message: [
        'The target cannot keep these records:',
        'hostState: The record state_7 is odd.',
        'hostState: The record state_90 is odd.',
        'The source is as it was. Change or delete these, and repeat the command.',
      ].join('\n'),
    })
    expect(await refusal(source.hostState.save('a', 1))).toBe('taken')
    expect((await records.find('hostState', ['state_8', 'state_7'])).map(({ key }) => key)).toEqual(['state_8'])
  })

  test('a writer that comes through after the mark is found by the comparison, and moved', async () => {
    const { tools, file } = await openPair(10)
    const { records } = tools.ends.source
    const stray = recordOf('hostState', 77)
    let reads = 0
    const leaky: Records = {
      ...records,
      async read(store, page, options) {
        // After the last pass has read this store, and before it is measured.
        if (store === 'hostState') reads += 1
        if (reads === 3) await records.write('hostState', [stray])
        return records.read(store, page, options)
      },
    }
    const ends = { ...tools.ends, source: { ...tools.ends.source, records: leaky } }
    const moved = await moveStores({ ...tools, ends }, file())
    expect((await tools.ends.target.records.find('hostState', ['state_77'])).map(({ key }) => key)).toEqual([
      'state_77',
    ])
    expect(moved.passes.filter(({ kind, store }) => kind === 'last' && store === 'hostState')).toHaveLength(2)
    expect(await measures(tools.ends.target)).toEqual(await measures(tools.ends.source))
  })

  test('another target than the one it was begun with is refused at every step, and nothing there is deleted', async () => {
    const whole = await openPair(3)
    const counted = dyingAt(whole.tools, Number.POSITIVE_INFINITY, 'before')
    await moveStores(counted.tools, whole.file())
    for (let n = 10; n <= counted.calls(); n += 7) {
      const { tools, file } = await openPair(3)
      await expect(moveStores(dyingAt(tools, n, 'before').tools, file())).rejects.toThrow(Killed)
      const other = openMemoryBackend(createFakes().context)
      await other.hostState.save('dear', 1)
      const ends = { ...tools.ends, target: { ...endOf(other), name: 'postgres' } }
      const resumed = moveStores({ ...tools, ends }, file())
      await expect(resumed, String(n)).rejects.toMatchObject({
        exit: 'configuration',
        message: expect.stringMatching(
          /^This postgres is not the one that the move m1 was begun with: it is \S+, and was/,
        ),
      })
      expect((await other.hostState.load('dear'))?.value).toBe(1)
      expect(await endOf(other).records.moved()).toEqual([])
    }
  })

  test('another source than the one it was begun with is refused', async () => {
    const { tools, file } = await openPair(3)
    await expect(moveStores(dyingAt(tools, 30, 'before').tools, file())).rejects.toThrow(Killed)
    const before = await measures(tools.ends.target)
    const source = { ...endOf(openMemoryBackend(createFakes().context)), name: 'filesystem' }
    await expect(moveStores({ ...tools, ends: { ...tools.ends, source } }, file())).rejects.toMatchObject({
      exit: 'configuration',
      message: expect.stringMatching(/^This filesystem is not the one/),
    })
    expect(await measures(tools.ends.target)).toEqual(before)
  })

  test('a target that becomes another one while it is copied to is not opened', async () => {
    const { tools, file } = await openPair(3)
    const target = tools.ends.target
    let identity = target.records.identity
    const changing = { ...target, records: { ...target.records, identity: () => identity() } }
    const closing: MoveTools = {
      ...tools,
      ends: { ...tools.ends, target: changing },
      quietDown: async () => {
        identity = async () => 'another'
        return tools.quietDown()
      },
    }
    await expect(moveStores(closing, file())).rejects.toThrow(/^This postgres is not the one/)
    expect(await target.records.moved()).toHaveLength(storeNames.length)
  })

  test('of two moves into one target the second is told of the first, and changes nothing', async () => {
    const { tools, target, places, file } = await openPair(3)
    const second = openMemoryBackend(createFakes().context)
    await second.hostState.save('of another root', 1)
    const ends = { source: { ...endOf(second), name: 'filesystem' }, target: tools.ends.target }
    const other = { ...fresh({ ...places, from: await ends.source.records.identity() }), id: 'm2' }
    const told = { exit: 'locked', message: expect.stringMatching(/^Another move has closed \w+ in postgres: m1\. /) }
    await expect(moveStores(dyingAt(tools, 30, 'before').tools, file())).rejects.toThrow(Killed)
    await expect(moveStores({ ...tools, ends }, other)).rejects.toMatchObject(told)
    // Nor where it looked before the first had begun.
    const { records } = tools.ends.target
    const early = { ...records, moved: async () => [], read: async () => ({ items: [], corrupt: [], cursor: null }) }
    const late = { ...ends, target: { name: 'postgres', records: early } }
    await expect(moveStores({ ...tools, ends: late }, other)).rejects.toMatchObject(told)
    expect((await records.moved()).map(({ by }) => by)).toEqual(storeNames.map(() => 'm1'))
    expect((await moveStores(tools, file())).phase).toBe('moved')
    expect(await target.hostState.load('of another root')).toBeNull()
    expect((await second.hostState.load('of another root'))?.value).toBe(1)
  })

  for (const { marks, asked } of [
    { marks: 1, asked: 1 },
    { marks: 3, asked: 1 },
    { marks: 4, asked: 0 },
  ])
    test(`killed after ${marks} marks of the source it asks the hosts ${asked ? 'again' : 'no more'}, and sets the others`, async () => {
      const { tools, file } = await openPair(3)
      const { records } = tools.ends.source
      const halfway: Records = {
        ...records,
        async markMoved(moved) {
          await records.markMoved(moved.slice(0, marks))
          throw new Killed()
        },
      }
      const ends = { ...tools.ends, source: { ...tools.ends.source, records: halfway } }
      await expect(moveStores({ ...tools, ends }, file())).rejects.toThrow(Killed)
      const open = storeNames.filter(
        (store) => !['workflows', 'completions', 'taskFiles', 'inbox'].slice(0, marks).includes(store),
      )
      const closed = (await records.moved()).map(({ store }) => store)
      expect(storeNames.filter((store) => !closed.includes(store))).toEqual(open)
      let calls = 0
      const quietDown: MoveTools['quietDown'] = () => {
        calls += 1
        return tools.quietDown()
      }
      expect((await moveStores({ ...tools, quietDown }, file())).phase).toBe('moved')
      expect(calls).toBe(asked)
      expect(await storesOf(records.moved())).toEqual(storeNames.map((store) => `${store} to postgres`).sort())
    })

  test('a record that becomes unreadable in the source keeps its copy at the target', async () => {
    const { tools, file } = await openPair(3)
    const { records } = tools.ends.source
    let isSpoiled = false
    const spoiled: Records = {
      ...records,
      async read(store, page, options) {
        const found = await records.read(store, page, options)
        if (!isSpoiled || store !== 'hostState') return found
        const items = found.items.filter((record) => !('key' in record) || record.key !== 'state_1')
        const corrupt = { name: 'state_1', place: 'state_1.json', reason: 'not JSON', rev: '1' }
        return { ...found, items, corrupt: [corrupt] }
      },
      async find(store, keys, options) {
        return records.find(store, isSpoiled ? keys.filter((key) => key !== 'state_1') : keys, options)
      },
    }
    const ends = { ...tools.ends, source: { ...tools.ends.source, records: spoiled } }
    const spoiling: MoveTools = {
      ...tools,
      ends,
      quietDown: async () => {
        isSpoiled = true
        return tools.quietDown()
      },
    }
    const kept = async () => (await tools.ends.target.records.find('hostState', ['state_1'])).map(({ key }) => key)
    await expect(moveStores(spoiling, file())).rejects.toThrow(
      'hostState: 1 records of the source cannot be read, state_1.json among them. Mend or remove them, or repeat the command with --leave-corrupt.',
    )
    expect(await kept()).toEqual(['state_1'])
    // Left behind it stays at the target, which then is not equal: nobody is told that all was moved.
    await expect(moveStores({ ...spoiling, leaveCorrupt: true }, file())).rejects.toMatchObject({ exit: 'different' })
    expect(await kept()).toEqual(['state_1'])
    isSpoiled = false
    expect((await moveStores({ ...tools, ends }, file())).phase).toBe('moved')
  })
})
