import { type StoreName, type StoreRecords, storeNames } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { refused } from '../samples.ts'
import {
  completionRecordOf,
  everyRecord,
  hostStateRecordOf,
  inboxRecordOf,
  inKeyOrder,
  isKept,
  keysOf,
  minutes,
  oddJson,
  readAll,
  recordsOf,
  taskFileRecordOf,
  workflowRecordOf,
} from './samples.ts'

const isThere = async <S extends StoreName>(t: Harness, store: S, records: StoreRecords[S][]): Promise<void> => {
  const expected = inKeyOrder(store, records)
  expect(await readAll(t.backend, store, 1)).toEqual(expected)
  expect(await readAll(t.backend, store, 1000)).toEqual(expected)
  const found = await recordsOf(t.backend).find(store, ['nobody', ...keysOf(store, records)])
  expect(inKeyOrder(store, found)).toEqual(expected)
}

const writesAll = async <S extends StoreName>(t: Harness, store: S): Promise<void> => {
  const records = everyRecord[store]()
  await recordsOf(t.backend).write(store, records)
  await isThere(t, store, records)
  await recordsOf(t.backend).write(store, records.toReversed())
  await isThere(t, store, records)
  await t.reopen()
  await isThere(t, store, records)
}

export const recordsWrite = (clause: Clause): void => {
  for (const store of storeNames)
    clause('C-MOVE-2', `what is written is what is there, twice the same, and durable: ${store}`, (t) =>
      writesAll(t, store),
    )

  clause('C-MOVE-2', 'the stores show it', async (t) => {
    for (const store of storeNames) await recordsOf(t.backend).write(store, everyRecord[store]())
    const { workflows, completions, hostState, taskFiles, inbox } = t.backend
    const { data: _, ...workflow } = workflowRecordOf()
    expect(await workflows.load('alpha-7-full')).toMatchObject({ ...workflow, data: { metadata: JSON.parse(oddJson) } })
    const { data: __, seq: ___, ...completion } = completionRecordOf()
    expect((await completions.history('7', { project: 'alpha' })).items[1]).toMatchObject({
      ...completion,
      payload: JSON.parse(oddJson),
    })
    expect(await hostState.load('launched_agents')).toMatchObject({
      value: JSON.parse(oddJson),
      updatedAt: minutes(5),
    })
    expect(await taskFiles.load('alpha', 'login.md')).toMatchObject(taskFileRecordOf())
    for (const { epoch: _, hold, ...task } of everyRecord.inbox())
      expect(await inbox.load(task.id)).toEqual({ ...task, claimedBy: hold?.worker ?? null })
    expect(await inbox.counts()).toEqual({ pending: 3, processing: 3, done: 1, failed: 1 })
  })

  clause('C-MOVE-2', 'a record that is there becomes the one that is written', async (t) => {
    for (const store of storeNames) await recordsOf(t.backend).write(store, everyRecord[store]())
    const workflow = workflowRecordOf({ state: 'failed', name: 'Other', currentStep: 0, createdAt: minutes(20) })
    const completion = completionRecordOf({
      summary: 'Other',
      data: '{}',
      seq: 11,
      savedAt: minutes(21),
      reportId: null,
    })
    const state = hostStateRecordOf({ data: 'false', updatedAt: minutes(22) })
    const file = taskFileRecordOf({ content: 'Other', issueNumber: null, updatedAt: minutes(23) })
    const changed = [
      inboxRecordOf({ id: '7', status: 'done', processedAt: minutes(24), epoch: 1 }),
      inboxRecordOf({ id: '11', runAt: minutes(25), epoch: 2 }),
      inboxRecordOf({ id: '14', status: 'failed', error: 'no', processedAt: minutes(26), epoch: 5 }),
      inboxRecordOf({ id: '13', status: 'processing', epoch: 3, hold: { worker: 'w', leaseMs: 1000, bound: false } }),
    ]
    const records = recordsOf(t.backend)
    await records.write('workflows', [workflow])
    await records.write('completions', [completion])
    await records.write('hostState', [hostStateRecordOf({ data: '"the later counts"' }), state])
    await records.write('taskFiles', [file])
    await records.write('inbox', changed)
    const ids = changed.map(({ id }) => id)
    await isThere(t, 'workflows', [workflow, ...everyRecord.workflows().slice(1)])
    await isThere(t, 'completions', [completion, ...everyRecord.completions().slice(1)])
    await isThere(t, 'hostState', [state, ...everyRecord.hostState().slice(1)])
    await isThere(t, 'taskFiles', [file, ...everyRecord.taskFiles().slice(1)])
    await isThere(t, 'inbox', [...changed, ...everyRecord.inbox().filter(({ id }) => !ids.includes(id))])
  })

  clause('C-MOVE-2', 'a thousand go in one call', async (t) => {
    const tasks = Array.from({ length: 1000 }, (_, n) => inboxRecordOf({ id: String(n + 1) }))
    const reports = tasks.map(({ id }, n) => completionRecordOf({ issueNumber: id, seq: n + 1 }))
    await recordsOf(t.backend).write('inbox', tasks)
    await recordsOf(t.backend).write('completions', reports)
    expect(await readAll(t.backend, 'inbox', 999)).toEqual(inKeyOrder('inbox', tasks))
    expect(await readAll(t.backend, 'completions', 999)).toEqual(inKeyOrder('completions', reports))
    expect(await recordsOf(t.backend).find('inbox', keysOf('inbox', tasks))).toHaveLength(1000)
    const many = [...tasks, inboxRecordOf({ id: '1001' })]
    await refused(recordsOf(t.backend).write('inbox', many), 'invalid')
    await refused(recordsOf(t.backend).find('inbox', keysOf('inbox', many)), 'invalid')
    await refused(recordsOf(t.backend).remove('inbox', keysOf('inbox', many)), 'invalid')
  })
}

export const recordsThatDoNotFit = (clause: Clause): void => {
  clause('C-MOVE-2', 'what nobody can keep is invalid and named', async (t) => {
    const records = recordsOf(t.backend)
    const wrong = [
      records.write('workflows', [workflowRecordOf({ id: 'wrong', data: '{"cut' })]),
      records.write('workflows', [workflowRecordOf({ id: 'wrong', data: '[]' })]),
      records.write('completions', [completionRecordOf({ dedupKey: 'wrong', seq: 0.5 })]),
      records.write('hostState', [hostStateRecordOf({ key: 'wrong', data: '{"a":1e400}' })]),
      records.write('hostState', [hostStateRecordOf({ key: 'wrong', updatedAt: new Date(Number.NaN) })]),
      records.write('taskFiles', [taskFileRecordOf({ filename: 'wrong', content: 'a\0b' })]),
      records.write('inbox', [inboxRecordOf({ id: 'wrong', epoch: -1 })]),
    ]
    for (const call of wrong) expect((await refused(call, 'invalid')).message).toContain('wrong')
    for (const store of storeNames) expect(await readAll(t.backend, store)).toEqual([])
  })

  clause('C-MOVE-2', 'what this backend has no place for is refused, and else kept', async (t) => {
    const foreign = inboxRecordOf({ id: '21', status: 'processing', epoch: 4 })
    const unknown = inboxRecordOf({ id: '22', status: 'on hold', processedAt: minutes(30), epoch: 1 })
    const ownerless = completionRecordOf({ project: null })
    const odd = inboxRecordOf({ id: 'no file ../ of “any”: name', filename: 'a/b' })
    const kept = [
      await isKept(t.backend, 'inbox', foreign),
      await isKept(t.backend, 'inbox', unknown),
      await isKept(t.backend, 'inbox', odd),
    ]
    const ownerlessIsKept = await isKept(t.backend, 'completions', ownerless)
    const tasks = [foreign, unknown, odd].filter((_, n) => kept[n])
    expect(await readAll(t.backend, 'inbox')).toEqual(inKeyOrder('inbox', tasks))
    expect(await readAll(t.backend, 'completions')).toEqual(ownerlessIsKept ? [ownerless] : [])
    // Where other programs write the status, there are tasks with one of theirs.
    if (t.foreign.setInboxStatus) expect(kept).toEqual([true, true, true])
  })
}

const removesOne = async <S extends StoreName>(t: Harness, store: S): Promise<void> => {
  const records = everyRecord[store]()
  const [gone = '', ...rest] = keysOf(store, records)
  await recordsOf(t.backend).write(store, records)
  await recordsOf(t.backend).remove(store, [gone, 'nobody'])
  await recordsOf(t.backend).remove(store, [gone])
  await t.reopen()
  expect(keysOf(store, await readAll(t.backend, store))).toEqual(rest.toSorted())
  expect(await recordsOf(t.backend).find(store, [gone, 'nobody'])).toEqual([])
  expect(keysOf(store, await recordsOf(t.backend).find(store, rest)).sort()).toEqual(rest.toSorted())
  await recordsOf(t.backend).write(store, records)
  expect(await readAll(t.backend, store)).toEqual(inKeyOrder(store, records))
}

export const recordsRemove = (clause: Clause): void => {
  for (const store of storeNames)
    clause('C-MOVE-6', `what is removed is gone, and nothing else: ${store}`, (t) => removesOne(t, store))
}
