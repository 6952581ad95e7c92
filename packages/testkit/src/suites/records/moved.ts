import { type Backend, type Moved, type StoreName, storeNames, storeVariables } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { task } from '../inbox/tasks.ts'
import { aCompletion, aTaskFile, aWorkflow, refused } from '../samples.ts'
import { everyRecord, inKeyOrder, minutes, readAll, recordsOf } from './samples.ts'

const claim = { id: '14', epoch: 5, worker: 'worker-1' }
const later = { leaseMs: 60_000, worker: 'worker-1' }

type Calls = Record<string, (backend: Backend) => Promise<unknown>>

/** Every call of each store that changes something, or would where something is there. */
const writes: Record<StoreName, Calls> = {
  workflows: {
    save: ({ workflows }) => workflows.save(aWorkflow({ id: 'new' })),
    delete: ({ workflows }) => workflows.delete('alpha-7-full'),
  },
  completions: {
    save: ({ completions }) => completions.save(aCompletion({ summary: 'new' })),
    delete: ({ completions }) => completions.delete('7:developer:complete'),
  },
  hostState: {
    save: ({ hostState }) => hostState.save('new', 1),
    patch: ({ hostState }) => hostState.patch('launched_agents', { entries: { a: 1 } }),
    update: ({ hostState }) => hostState.update('launched_agents', () => 2),
    delete: ({ hostState }) => hostState.delete('launched_agents'),
  },
  taskFiles: {
    save: ({ taskFiles }) => taskFiles.save(aTaskFile({ filename: 'new.md' })),
    close: ({ taskFiles }) => taskFiles.close('beta', 'login.md'),
    reopen: ({ taskFiles }) => taskFiles.reopen('alpha', 'login.md'),
    delete: ({ taskFiles }) => taskFiles.delete('alpha', 'login.md'),
  },
  inbox: {
    enqueue: ({ inbox }) => inbox.enqueue([task()]),
    claim: ({ inbox }) => inbox.claim({ ...later, limit: 1 }),
    bind: ({ inbox }) => inbox.bind(claim, { issueNumber: '7' }),
    heartbeat: ({ inbox }) => inbox.heartbeat([claim]),
    complete: ({ inbox }) => inbox.complete(claim),
    fail: ({ inbox }) => inbox.fail(claim, 'no'),
    release: ({ inbox }) => inbox.release(claim),
    requeue: ({ inbox }) => inbox.requeue('13'),
    cancel: ({ inbox }) => inbox.cancel('7'),
    purge: ({ inbox }) => inbox.purge({ olderThan: new Date(8.64e15) }),
  },
}

const reads: Record<StoreName, Calls> = {
  workflows: {
    load: ({ workflows }) => workflows.load('alpha-7-full'),
    list: ({ workflows }) => workflows.list(),
    counts: ({ workflows }) => workflows.counts(),
  },
  completions: {
    scan: ({ completions }) => completions.scan(),
    history: ({ completions }) => completions.history('7'),
    assign: ({ completions }) => completions.assign('7:developer:complete', 'beta'),
  },
  hostState: {
    load: ({ hostState }) => hostState.load('launched_agents'),
    keys: ({ hostState }) => hostState.keys(),
  },
  taskFiles: {
    load: ({ taskFiles }) => taskFiles.load('alpha', 'login.md'),
    list: ({ taskFiles }) => taskFiles.list(),
  },
  inbox: {
    load: ({ inbox }) => inbox.load('14'),
    list: ({ inbox }) => inbox.list(),
    counts: ({ inbox }) => inbox.counts(),
    oldestDue: ({ inbox }) => inbox.oldestDue(),
    sweep: ({ inbox }) => inbox.sweep(),
    resume: ({ inbox }) => inbox.resume({ ...later, worker: 'worker-3' }),
  },
}

const elsewhere = (store: StoreName): Moved => ({ store, to: 'another', at: minutes(59) })

const isRefused = async (store: StoreName, backend: Backend, calls: Calls): Promise<void> => {
  for (const [verb, call] of Object.entries(calls)) {
    const error = await refused(call(backend), 'unavailable')
    expect([verb, error.outcome, error.movedTo]).toEqual([verb, 'not-applied', 'another'])
    expect(error.message).toContain(`${store} moved to another`)
    expect(error.message).toContain(`${storeVariables[store]}=another`)
  }
}

const fill = async (backend: Backend): Promise<void> => {
  for (const store of storeNames) await recordsOf(backend).write(store, everyRecord[store]())
}

export const recordsMoved = (clause: Clause): void => {
  for (const store of storeNames) {
    clause('C-MOVE-7', `every call of ${store} is refused once it moved, and nothing of it happens`, async (t) => {
      await fill(t.backend)
      await recordsOf(t.backend).markMoved([elsewhere(store)])
      for (const open of [async () => t.backend, t.peer, t.reopen]) {
        const backend = await open()
        await isRefused(store, backend, writes[store])
        await isRefused(store, backend, reads[store])
        expect(await recordsOf(backend).moved()).toEqual([elsewhere(store)])
        const others = storeNames.filter((name) => name !== store)
        expect(await recordsOf(backend).moved({ stores: others })).toEqual([])
        expect(await recordsOf(backend).moved({ stores: [store] })).toEqual([elsewhere(store)])
      }
      expect(await readAll(t.backend, store)).toEqual(inKeyOrder(store, everyRecord[store]()))
    })

    clause('C-MOVE-7', `other stores go on when ${store} moved`, async (t) => {
      await fill(t.backend)
      await recordsOf(t.backend).markMoved([elsewhere(store)])
      for (const other of storeNames.filter((name) => name !== store)) {
        for (const call of Object.values(writes[other])) await call(t.backend)
        for (const call of Object.values(reads[other])) await call(t.backend)
        expect(await t.backend.health(other)).toEqual({ status: 'ok' })
      }
      const health = await t.backend.health(store)
      expect(health).toMatchObject({
        status: 'down',
        reason: expect.stringContaining(storeVariables[store]),
        movedTo: 'another',
      })
    })

    clause('C-MOVE-7', `an opening from before is refused as well, at its first write: ${store}`, async (t) => {
      await fill(t.backend)
      for (const [verb, call] of Object.entries(writes[store])) {
        const peer = await t.peer()
        await recordsOf(t.backend).markMoved([elsewhere(store)])
        await isRefused(store, peer, { [verb]: call })
        await isRefused(store, peer, reads[store])
        await recordsOf(t.backend).unmarkMoved([store])
      }
      expect(await readAll(t.backend, store)).toEqual(inKeyOrder(store, everyRecord[store]()))
    })

    clause('C-MOVE-7', `an opening from before learns of it by asking for health: ${store}`, async (t) => {
      await fill(t.backend)
      const peer = await t.peer()
      await recordsOf(t.backend).markMoved([elsewhere(store)])
      expect(await peer.health(store)).toMatchObject({ status: 'down', reason: expect.stringContaining('another') })
      await isRefused(store, peer, reads[store])
      await recordsOf(t.backend).unmarkMoved([store])
      expect(await peer.health(store)).toEqual({ status: 'ok' })
      for (const call of Object.values(reads[store])) await call(peer)
    })

    clause('C-MOVE-7', `${store} is at home again once the mark is taken away`, async (t) => {
      await fill(t.backend)
      const records = recordsOf(t.backend)
      await records.markMoved(storeNames.map(elsewhere))
      await records.unmarkMoved([store])
      await records.unmarkMoved([store])
      expect((await records.moved()).map((mark) => mark.store).sort()).toEqual(
        storeNames.filter((name) => name !== store).toSorted(),
      )
      for (const call of Object.values(reads[store])) await call(t.backend)
      for (const call of Object.values(writes[store])) await call(t.backend)
    })

    clause('C-MOVE-7', `records go on when ${store} moved`, async (t) => {
      const records = recordsOf(t.backend)
      await records.markMoved([elsewhere(store)])
      await fill(t.backend)
      const [first, ...rest] = inKeyOrder(store, everyRecord[store]())
      expect(await readAll(t.backend, store)).toEqual([first, ...rest])
    })
  }

  clause('C-MOVE-7', 'a mark may be put twice, with another place', async (t) => {
    const records = recordsOf(t.backend)
    await records.markMoved([elsewhere('inbox')])
    await records.markMoved([{ ...elsewhere('inbox'), to: 'a third' }])
    expect(await records.moved()).toEqual([{ ...elsewhere('inbox'), to: 'a third' }])
    expect(await refused(t.backend.inbox.enqueue([task()]), 'unavailable')).toMatchObject({ movedTo: 'a third' })
  })

  clause('C-MOVE-8', 'every opening gives the same identity, whoever asks first', async (t) => {
    const openings = [t.backend, ...(await Promise.all([t.peer(), t.peer(), t.peer()]))]
    const given = await Promise.all(openings.map((backend) => recordsOf(backend).identity()))
    expect(given[0]).toMatch(/^\S{16,}$/)
    expect(new Set(given).size).toBe(1)
    expect(await recordsOf(await t.reopen()).identity()).toBe(given[0])
  })

  clause('C-MOVE-9', 'a mark stays that another move has put, and none of the others is put', async (t) => {
    const [records, peer] = [recordsOf(t.backend), recordsOf(await t.peer())]
    const first = { ...elsewhere('inbox'), by: 'first' }
    const second = (['completions', 'inbox'] as const).map((store) => ({ ...elsewhere(store), to: 'b', by: 'second' }))
    expect(await records.markMoved([first])).toEqual([])
    expect(await peer.markMoved(second)).toEqual([first])
    expect(await peer.markMoved([{ ...elsewhere('inbox'), to: 'b' }])).toEqual([first])
    expect(await records.moved()).toEqual([first])
    await t.backend.completions.save(aCompletion())
    expect(await records.markMoved([{ ...first, to: 'c' }])).toEqual([])
    expect(await records.moved()).toEqual([{ ...first, to: 'c' }])
    expect(await peer.markMoved(second, { over: ['third', 'first'] })).toEqual([])
    expect((await records.moved()).map(({ store, by }) => [store, by]).sort()).toEqual([
      ['completions', 'second'],
      ['inbox', 'second'],
    ])
  })

  clause(
    'C-MOVE-9',
    'of moves that mark a store at the same time one has it, and the others are told which',
    async (t) => {
      const moves = ['1', '2', '3', '4'].map((by) => ({ ...elsewhere('taskFiles'), by }))
      const answers = await Promise.all(
        moves.map(async (mark) => ({ mark, inTheWay: await recordsOf(await t.peer()).markMoved([mark]) })),
      )
      const [winner, ...more] = answers.filter(({ inTheWay }) => inTheWay.length === 0)
      expect(more).toEqual([])
      expect(await recordsOf(t.backend).moved()).toEqual([winner?.mark])
      for (const { mark, inTheWay } of answers) expect(inTheWay).toEqual(mark === winner?.mark ? [] : [winner?.mark])
    },
  )
}
