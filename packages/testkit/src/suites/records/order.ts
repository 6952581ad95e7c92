import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimUpTo, enqueueOne, task } from '../inbox/tasks.ts'
import { aCompletion, present } from '../samples.ts'
import { completionRecordOf, heldRecordOf, inboxRecordOf, isKept, minutes, readAll, recordsOf } from './samples.ts'

export const recordsOrder = (clause: Clause): void => {
  clause(
    'C-MOVE-3',
    'completions are scanned and listed as they were saved, and the next save is newest',
    async (t) => {
      const saved = [
        completionRecordOf({ agentType: 'planner', seq: 40, savedAt: minutes(1) }),
        completionRecordOf({ agentType: 'developer', seq: 7, savedAt: minutes(59) }),
        completionRecordOf({ agentType: 'reviewer', seq: 41, savedAt: minutes(0), createdAt: minutes(0) }),
        completionRecordOf({ issueNumber: '8', seq: 8 }),
      ]
      await recordsOf(t.backend).write('completions', saved)
      const scanned = async () => (await t.backend.completions.scan()).items.map(({ dedupKey }) => dedupKey)
      const listed = async () => (await t.backend.completions.history('7')).items.map(({ agentType }) => agentType)
      expect(await scanned()).toEqual(['7:reviewer:complete', '8:developer:complete'])
      expect(await listed()).toEqual(['reviewer', 'planner', 'developer'])

      await t.reopen()
      await t.backend.completions.save(aCompletion({ issueNumber: '8', summary: 'news' }))
      expect(await scanned()).toEqual(['8:developer:complete', '7:reviewer:complete'])
      await t.backend.completions.save(aCompletion({ summary: 'news' }))
      expect(await listed()).toEqual(['developer', 'reviewer', 'planner'])
      const order = (await readAll(t.backend, 'completions')).map(({ dedupKey, seq }) => [dedupKey, (seq ?? 0) > 41])
      expect(order).toEqual([
        ['7:developer:complete', true],
        ['7:planner:complete', false],
        ['7:reviewer:complete', false],
        ['8:developer:complete', true],
      ])
    },
  )

  clause('C-MOVE-3', 'what is older than the order of saving comes before all of it', async (t) => {
    const older = completionRecordOf({ agentType: 'older', seq: null, createdAt: minutes(58), savedAt: minutes(59) })
    const oldest = completionRecordOf({ agentType: 'oldest', seq: null, createdAt: minutes(57), savedAt: minutes(59) })
    const ordered = completionRecordOf({ seq: 1, createdAt: minutes(0), savedAt: minutes(0) })
    await recordsOf(t.backend).write('completions', [ordered])
    const kept = [await isKept(t.backend, 'completions', older), await isKept(t.backend, 'completions', oldest)]
    expect(kept[0]).toBe(kept[1])
    const listed = (await t.backend.completions.history('7')).items.map(({ agentType }) => agentType)
    expect(listed).toEqual(kept[0] ? ['developer', 'older', 'oldest'] : ['developer'])
    const first = await t.backend.completions.history('7', { limit: 1 })
    const next = await t.backend.completions.history('7', { limit: 10, cursor: first.cursor ?? undefined })
    expect(kept[0] ? next.items.map(({ agentType }) => agentType) : ['older', 'oldest']).toEqual(['older', 'oldest'])
  })

  clause(
    'C-MOVE-3',
    'tasks are claimed as they were enqueued, whatever their ids, and a new one after them',
    async (t) => {
      const ids = ['9', '10', '100', '0mf3k5q2a1b0x9k2c7yq4d1', '0mf3k5q2a1b0x9k2c7yq4d2', '0mf3k5q2a1b0x9k2c7yq4e0']
      const runAt = new Date(t.clock.now() - 60_000)
      const waiting = ids.map((id) => inboxRecordOf({ id, runAt }))
      await recordsOf(t.backend).write('inbox', waiting.slice(0, 4))
      await recordsOf(t.backend).write('inbox', waiting.slice(4))
      // Written again, as by a second pass, they stay where they are.
      await recordsOf(t.backend).write('inbox', waiting.slice(1, 2))
      await t.reopen()
      await enqueueOne(t.backend, { filename: 'last.md', runAt })
      const claimed = await claimUpTo(t.backend, 10)
      expect(claimed.map(({ filename }) => filename)).toEqual([...ids.map((id) => `task-${id}.md`), 'last.md'])
    },
  )
}

export const recordsIdentity = (clause: Clause): void => {
  clause('C-MOVE-4', 'the same report is still unchanged, and another one updates the same record', async (t) => {
    await recordsOf(t.backend).write('completions', [
      completionRecordOf({ data: JSON.stringify(aCompletion().payload), summary: 'Login fixed' }),
      completionRecordOf({ project: 'beta', dedupKey: 'beta/7:developer:complete', seq: 2 }),
    ])
    await t.reopen()
    const { completions } = t.backend
    const key = { dedupKey: '7:developer:complete' }
    expect(await completions.save(aCompletion())).toEqual({ status: 'unchanged', ...key })
    expect(await completions.save(aCompletion({ summary: 'again' }))).toEqual({ status: 'updated', ...key })
    const other = { dedupKey: 'beta/7:developer:complete' }
    expect(await completions.save(aCompletion({ project: 'beta' }))).toEqual({ status: 'updated', ...other })
    expect(await completions.save(aCompletion({ project: 'gamma' }))).toEqual({
      status: 'created',
      dedupKey: 'gamma/7:developer:complete',
    })
  })

  clause('C-MOVE-4', 'idempotency keys and the names of live tasks are still taken', async (t) => {
    const pending = inboxRecordOf({ id: '31' })
    const held = heldRecordOf({ id: '32' })
    const done = inboxRecordOf({ id: '33', status: 'done', processedAt: minutes(30), idempotencyKey: 'mine' })
    const ended = inboxRecordOf({ id: '34', status: 'failed', processedAt: minutes(30) })
    await recordsOf(t.backend).write('inbox', [pending, held, done, ended])
    await t.reopen()
    const named = ({ filename }: { filename: string }) => task({ filename })
    expect(
      await t.backend.inbox.enqueue([named(pending), named(held), task({ idempotencyKey: 'mine' }), named(ended)]),
    ).toEqual([
      { status: 'duplicate', id: '31' },
      { status: 'duplicate', id: '32' },
      { status: 'duplicate', id: '33' },
      { status: 'enqueued', id: expect.any(String) },
    ])
    expect(await t.backend.inbox.purge({ olderThan: new Date(t.clock.now() + 60_000), status: 'done' })).toEqual({
      purged: 1,
    })
    expect(await t.backend.inbox.enqueue([task({ idempotencyKey: 'mine' })])).toMatchObject([{ status: 'enqueued' }])
  })

  clause('C-MOVE-4', 'a task file stays where it was, and is closed beside one of its name', async (t) => {
    await t.backend.taskFiles.save({ project: 'alpha', filename: 'login.md', content: 'ours' })
    const [active] = await readAll(t.backend, 'taskFiles')
    await recordsOf(t.backend).write('taskFiles', [{ ...present(active), state: 'closed', content: 'theirs' }])
    expect(await t.backend.taskFiles.close('alpha', 'login.md')).toEqual({ status: 'moved', filename: 'login~2.md' })
    expect((await readAll(t.backend, 'taskFiles')).map(({ filename, content }) => [filename, content])).toEqual([
      ['login.md', 'theirs'],
      ['login~2.md', 'ours'],
    ])
  })

  clause('C-MOVE-4', 'a key or a running issue is taken from whoever had it', async (t) => {
    const records = recordsOf(t.backend)
    const former = heldRecordOf({ id: '41', idempotencyKey: 'mine' })
    const latter = heldRecordOf({ id: '42', idempotencyKey: 'mine' })
    await records.write('inbox', [former])
    await records.write('inbox', [latter])
    const hold = { worker: 'worker-1', leaseMs: 60_000, bound: false }
    expect(await readAll(t.backend, 'inbox')).toEqual([{ ...former, idempotencyKey: null, hold }, latter])
    // An identity that goes from one record to another, both in one call.
    await records.write('inbox', [
      { ...former, hold },
      { ...latter, idempotencyKey: 'other' },
    ])
    expect(await readAll(t.backend, 'inbox')).toEqual([
      { ...former, hold },
      { ...latter, idempotencyKey: 'other' },
    ])

    await records.write('completions', [completionRecordOf({ dedupKey: 'one', seq: 1 })])
    await records.write('completions', [completionRecordOf({ dedupKey: 'two', seq: 2 })])
    await records.remove('completions', ['one'])
    expect((await readAll(t.backend, 'completions')).map(({ dedupKey }) => dedupKey)).toEqual(['two'])
    expect(await t.backend.completions.save(aCompletion())).toMatchObject({ status: 'updated', dedupKey: 'two' })
  })
}
