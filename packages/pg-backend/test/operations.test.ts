import type { Backend, Operations } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'
import { aCompletion, present } from './samples.ts'

const open = usePostgres()

const operationsOf = (backend: Backend): Operations => present(backend.operations)

const applied = async ({ sql }: PgHarness): Promise<string[]> =>
  (await sql.query<{ id: string }>('SELECT id FROM nexus_applied ORDER BY id')).rows.map(({ id }) => id)

/** From now on the database counts what is really written; what is taken back does not count. */
const countWrites = async ({ sql }: PgHarness): Promise<() => Promise<number>> => {
  await sql.query(`CREATE TABLE written (); CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN INSERT INTO written DEFAULT VALUES; RETURN NULL; END'`)
  for (const table of ['nexus_host_state', 'nexus_completions'])
    await sql.query(
      `CREATE TRIGGER count_write AFTER INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION count_write()`,
    )
  return async () => (await sql.query('SELECT FROM written')).rowCount ?? 0
}

/** Every write that has an id; each round is one of its own, on something that the rounds before left. */
const writes: [string, (operations: Operations, id: string, round: number) => Promise<unknown>][] = [
  ['a save of a new key', (to, id, round) => to.saveState(id, `new${round}`, { round })],
  ['a save', (to, id, round) => to.saveState(id, 'agents', { round })],
  ['a patch', (to, id, round) => to.patchState(id, 'issues', { entries: { [`m${round}`]: round } })],
  ['a patch of a new key', (to, id, round) => to.patchState(id, `fresh${round}`, { entries: { a: round } })],
  [
    'a new report',
    (to, id, round) => to.saveCompletion(id, aCompletion({ issueNumber: `${round}`, reportId: `r${round}` })),
  ],
  ['another report', (to, id, round) => to.saveCompletion(id, aCompletion({ reportId: `r${round}` }))],
]

describe('[C-ROUTE-10] an operation with an id', () => {
  test.each(writes)('%s: a second time it does nothing and answers what it answered', async (_, write) => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    const peer = operationsOf(await t.peer())
    await write(operations, 'o1', 1)
    const written = await countWrites(t)
    const first = await write(operations, 'o2', 2)
    expect(await written()).toBe(1)
    expect(await write(operations, 'o2', 2)).toEqual(first)
    expect(await write(peer, 'o2', 2)).toEqual(first)
    expect(await written()).toBe(1)
    expect(await applied(t)).toEqual(['o1', 'o2'])
  })

  test.each(writes)('%s: twice at once it is done once, in many rounds', async (_, write) => {
    await using t = await open()
    const backends = [t.backend, await t.peer()].map(operationsOf)
    const written = await countWrites(t)
    for (let round = 1; round <= 25; round += 1) {
      const answers = await Promise.all(backends.map((operations) => write(operations, `o${round}`, round)))
      expect(answers[0]).toEqual(answers[1])
      expect(await written()).toBe(round)
    }
    expect(await applied(t)).toHaveLength(25)
  })

  test('does not come back over what others wrote since', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    const saved = await operations.saveState('o1', 'agents', { a: 1 })
    const patched = await operations.patchState('o2', 'agents', { entries: { a: 2 } })
    const first = await operations.saveCompletion('o3', aCompletion())
    await t.backend.hostState.save('agents', { a: 3 })
    await t.backend.completions.save(aCompletion({ reportId: 'run-2' }))
    expect(await operations.saveState('o1', 'agents', { a: 1 })).toEqual(saved)
    expect(await operations.patchState('o2', 'agents', { entries: { a: 2 } })).toEqual(patched)
    expect(await operations.saveCompletion('o3', aCompletion())).toEqual(first)
    expect(first).toEqual({ status: 'created', dedupKey: '7:developer:complete' })
    expect((await t.backend.hostState.load('agents'))?.value).toEqual({ a: 3 })
    expect((await t.backend.completions.scan()).items).toMatchObject([{ reportId: 'run-2' }])
  })

  test('is remembered where it changed nothing, so that it changes nothing later', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.backend.completions.save(aCompletion())
    expect(await operations.saveCompletion('o1', aCompletion())).toMatchObject({ status: 'unchanged' })
    await t.backend.completions.save(aCompletion({ reportId: 'run-2' }))
    expect(await operations.saveCompletion('o1', aCompletion())).toMatchObject({ status: 'unchanged' })
    expect((await t.backend.completions.scan()).items).toMatchObject([{ reportId: 'run-2' }])
  })

  test.each([
    ['became unreadable', `UPDATE nexus_host_state SET data = '{'`],
    ['became a list', `UPDATE nexus_host_state SET data = '[]'`],
    ['is gone', 'DELETE FROM nexus_host_state'],
  ])('gives its first answer again although the value %s', async (_, sql) => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    const saved = await operations.saveState('o1', 'agents', { a: 1 })
    const patched = await operations.patchState('o2', 'agents', { entries: { a: 2 } })
    await t.sql.query(sql)
    expect(await operations.saveState('o1', 'agents', { a: 1 })).toEqual(saved)
    expect(await operations.patchState('o2', 'agents', { entries: { a: 2 } })).toEqual(patched)
  })

  test('is not remembered where it had no effect', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', '[]')
    await t.foreign.insertHostState('broken', '{')
    const change = { entries: { a: 1 } }
    expect(await operations.patchState('o1', 'agents', change)).toMatchObject({ status: 'not-object' })
    await expect(operations.patchState('o2', 'broken', change)).rejects.toMatchObject({ code: 'corrupt' })
    await expect(operations.saveState('o3', 'broken', 1)).rejects.toMatchObject({ code: 'corrupt' })
    await expect(operations.saveState('o4', '../x', 1)).rejects.toMatchObject({ code: 'invalid' })
    await expect(operations.saveCompletion('o5', aCompletion({ project: 'a/b' }))).rejects.toMatchObject({
      code: 'invalid',
    })
    expect(await applied(t)).toEqual([])
    await t.foreign.writeHostStateText('agents', '{}')
    await t.foreign.writeHostStateText('broken', '{}')
    expect(await operations.patchState('o1', 'agents', change)).toMatchObject({ status: 'saved' })
    expect(await operations.patchState('o2', 'broken', change)).toMatchObject({ status: 'saved' })
    expect(await applied(t)).toEqual(['o1', 'o2'])
  })

  test('whose report replaces an unreadable one is remembered with the copy that is kept', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.backend.completions.save(aCompletion())
    await t.sql.query(`UPDATE nexus_completions SET data = 'cut in ha'`)
    const first = await operations.saveCompletion('o1', aCompletion())
    expect(first).toMatchObject({ status: 'updated' })
    expect(await operations.saveCompletion('o1', aCompletion())).toEqual(first)
    expect((await t.sql.query('SELECT data FROM nexus_quarantine')).rows).toEqual([{ data: 'cut in ha' }])
    expect(await applied(t)).toEqual(['o1'])
  })

  test('plain writes leave no id', async () => {
    await using t = await open()
    await t.backend.hostState.save('agents', { a: 1 })
    await t.backend.hostState.patch('agents', { entries: { b: 1 } })
    await t.backend.completions.save(aCompletion())
    expect(await applied(t)).toEqual([])
  })
})

/** Resolves once so many statements wait for a lock that another session holds. */
const untilBlocked = async ({ sql }: PgHarness, count: number): Promise<void> => {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await sql.query(waiting)).rows.length < count);
}

describe('[C-ROUTE-10] a call that is cut off after it was sent', () => {
  test.each(writes)(
    '%s: sent again under its id it is done once, while the first is still under way',
    async (_, write) => {
      await using t = await open()
      const operations = operationsOf(t.backend)
      await write(operations, 'o1', 1)
      const written = await countWrites(t)
      const other = await t.sql.connect()
      await other.query('BEGIN; LOCK TABLE nexus_applied IN SHARE MODE')
      const cut = new AbortController()
      // Not by a time limit: the test waits for the statement to be there.
      const first = write(abortable(operations, cut.signal), 'o2', 2)
      await untilBlocked(t, 1)
      cut.abort(new Error('no answer'))
      await expect(first).rejects.toThrow('no answer')
      const again = write(operations, 'o2', 2)
      await untilBlocked(t, 2)
      await other.query('COMMIT')
      other.release()
      const answer = await again
      expect(await written()).toBe(1)
      expect(await write(operations, 'o2', 2)).toEqual(answer)
      expect(await written()).toBe(1)
    },
  )

  test('is over in its time, whatever it waits for and however many statements it makes', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await operations.saveState('o1', 'agents', { a: 1 })
    const other = await t.sql.connect()
    await other.query('BEGIN; SELECT FROM nexus_host_state FOR UPDATE')
    const start = performance.now()
    const limit = { timeoutMs: 400 }
    const calls = [
      operations.saveState('o2', 'agents', { a: 2 }, limit),
      operations.patchState('o3', 'agents', { entries: { a: 2 } }, limit),
    ]
    const unknown = { code: 'unavailable', outcome: 'unknown' }
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(unknown)))
    expect(performance.now() - start).toBeLessThan(5000)
    await other.query('ROLLBACK')
    other.release()
  })
})

/** The same operations, whose calls end with the signal. */
const abortable = (operations: Operations, signal: AbortSignal): Operations => ({
  ...operations,
  saveState: (id, key, value) => operations.saveState(id, key, value, { signal }),
  patchState: (id, key, change) => operations.patchState(id, key, change, { signal }),
  saveCompletion: (id, completion) => operations.saveCompletion(id, completion, { signal }),
})

test('[C-ROUTE-10] ids go after a month and a day, so many at a time, by the way', async () => {
  await using t = await open()
  await t.sql.query(`INSERT INTO nexus_applied (id, answer, applied_at)
    SELECT 'old' || n, '{}', now() - interval '31 days 1 minute' FROM generate_series(1, 1500) AS n;
    INSERT INTO nexus_applied (id, answer, applied_at) SELECT 'young' || n, '{}', now() - interval '30 days 23 hours'
    FROM generate_series(1, 3) AS n`)
  await operationsOf(t.backend).saveState('o1', 'agents', 1)
  while ((await applied(t)).length > 504);
  await operationsOf(await t.peer()).saveState('o2', 'agents', 2)
  while ((await applied(t)).length > 5);
  expect(await applied(t)).toEqual(['o1', 'o2', 'young1', 'young2', 'young3'])
})
