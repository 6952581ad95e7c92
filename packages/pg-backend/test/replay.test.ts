import type { Operation } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'
import {
  applied,
  changed,
  conflicts,
  copies,
  day,
  journaled,
  nothing,
  operationsOf,
  patch,
  report,
  save,
  saw,
} from './journaled.ts'
import { aCompletion, present } from './samples.ts'

const open = usePostgres()

describe('[C-ROUTE-12] a journaled operation', () => {
  test('is applied where nobody else wrote, and a second time it is there already', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', '{"big": 18446744073709551617, "a": 1}')
    const entry = journaled(t, patch({ a: 2 }), { base: saw({ a: 1 }) })
    expect(await operations.replay(entry)).toEqual({ status: 'applied' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"big": 18446744073709551617, "a": 2}')
    await t.backend.hostState.patch('agents', { entries: { a: 1 } })
    expect(await operations.replay(entry)).toEqual({ status: 'already' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"big": 18446744073709551617, "a": 1}')
    expect(await applied(t)).toEqual(['o1'])
  })

  test.each([
    ['a save', save({ a: 1 }), { known: 'absent' }],
    ['a patch', patch({ a: 1 }), { known: 'absent' }],
    ['a report', report(), nothing],
  ] as const)('%s creates what was not there', async (_, operation, base) => {
    await using t = await open()
    expect(await operationsOf(t.backend).replay(journaled(t, operation, { base }))).toEqual({ status: 'applied' })
    const value = (await t.backend.hostState.load('agents'))?.value
    const { items } = await t.backend.completions.scan()
    expect(operation.kind === 'completion-save' ? items.length : value).toEqual(
      operation.kind === 'completion-save' ? 1 : { a: 1 },
    )
  })

  test('that was applied directly before is there already, also where its statement is still under way', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await operations.saveState('o1', 'agents', { a: 1 })
    await t.backend.hostState.save('agents', { a: 2 })
    expect(await operations.replay(journaled(t, save({ a: 1 })))).toEqual({ status: 'already' })
    const other = await t.sql.connect()
    await other.query(`BEGIN; UPDATE nexus_host_state SET data = '{"a":3}';
      INSERT INTO nexus_applied (id, answer) VALUES ('o2', '{"status":"saved","rev":"x"}')`)
    const replaying = operations.replay(journaled(t, save({ a: 3 }, 'o2'), { base: saw({ a: 2 }) }))
    await untilBlocked(t)
    await other.query('COMMIT')
    other.release()
    expect(await replaying).toEqual({ status: 'already' })
    expect(await conflicts(t)).toEqual([])
  })

  test('that says what is there already is applied, and the text stays as it is', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '{ "a":1 }')
    const entry = journaled(t, save({ a: 1 }), { base: saw({ a: 0 }) })
    expect(await operationsOf(t.backend).replay(entry)).toEqual({ status: 'applied' })
    expect(await t.foreign.hostStateText('agents')).toBe('{ "a":1 }')
    expect(await applied(t)).toEqual(['o1'])
  })

  test('of a report that is there already leaves its place in the order', async () => {
    await using t = await open()
    await t.backend.completions.save(aCompletion())
    await t.backend.completions.save(aCompletion({ agentType: 'reviewer' }))
    expect(await operationsOf(t.backend).replay(journaled(t, report()))).toEqual({ status: 'applied' })
    expect((await t.backend.completions.scan()).items).toMatchObject([{ agentType: 'reviewer' }])
  })

  test('replayed by several processes at once is applied once', async () => {
    await using t = await open()
    const backends = [t.backend, await t.peer(), await t.peer()].map(operationsOf)
    await t.foreign.insertHostState('agents', '{"n":0}')
    for (let round = 0; round < 10; round += 1) {
      const entry = journaled(t, save({ n: round + 1 }, `o${round}`), { base: saw({ n: round }) })
      const answers = await Promise.all(backends.map((operations) => operations.replay(entry)))
      expect(answers.map(({ status }) => status).sort()).toEqual(['already', 'already', 'applied'])
    }
    expect((await t.backend.hostState.load('agents'))?.value).toEqual({ n: 10 })
    expect(await conflicts(t)).toEqual([])
  })

  test('among many in one transaction is applied in their order, and one that is refused for good keeps none of them back', async () => {
    await using t = await open()
    const many = [1, 2, 3].map((n) => journaled(t, save([n], `o${n}`), { base: saw([n - 1]) }))
    await t.foreign.insertHostState('agents', '[0]')
    const hopeless = journaled(t, { id: 'o9', kind: 'state-save', key: '../agents', value: [9] })
    const statuses = await present(t.backend.operations).replay([...many.slice(0, 2), hopeless, ...many.slice(2)])
    expect(statuses.map(({ status }) => status)).toEqual(['applied', 'applied', 'conflict', 'applied'])
    expect((await t.backend.hostState.load('agents'))?.value).toEqual([3])
    expect(await applied(t)).toEqual(['o1', 'o2', 'o3', 'o9'])
  })

  test('that is cut off leaves neither its effect nor its id, and is replayed again', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.sql.query('ALTER TABLE nexus_conflicts RENAME COLUMN reason TO away')
    await t.foreign.insertHostState('agents', '{"a":1,"b":1}')
    const entry = journaled(t, patch({ a: 2, b: 2 }), { base: saw({ a: 1, b: 0 }) })
    await expect(operations.replay(entry)).rejects.toMatchObject({ code: 'unsupported' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":1,"b":1}')
    expect(await applied(t)).toEqual([])
    await t.sql.query('ALTER TABLE nexus_conflicts RENAME COLUMN away TO reason')
    expect(await operations.replay(entry)).toEqual({ status: 'conflict' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":2,"b":1}')
  })

  test('waits for its turn, in its time', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    const other = await t.sql.connect()
    await other.query('BEGIN; SELECT pg_advisory_xact_lock(72707370)')
    const entry = journaled(t, save(1))
    await expect(operations.replay(entry, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'unavailable' })
    const replaying = operations.replay(entry)
    await untilBlocked(t)
    await other.query('COMMIT')
    other.release()
    expect(await replaying).toEqual({ status: 'applied' })
  })

  test('that loses against another writer between its look and its write looks again', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '{"a":1}')
    const other = await t.sql.connect()
    await other.query(`BEGIN; UPDATE nexus_host_state SET data = '{"a":1,"b":1}'`)
    const replaying = operationsOf(t.backend).replay(journaled(t, patch({ a: 2 }), { base: saw({ a: 1 }) }))
    await untilBlocked(t)
    await other.query('COMMIT')
    other.release()
    expect(await replaying).toEqual({ status: 'applied' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":2,"b":1}')
  })
})

/** Resolves once a statement waits for a lock that another session holds. */
const untilBlocked = async ({ sql }: PgHarness): Promise<void> => {
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  while ((await sql.query(waiting)).rows.length === 0);
}

describe('[C-ROUTE-13] what a replay cannot apply', () => {
  test('a member that both changed is kept with all three values; the others are applied', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '{"a":3,"b":1,"\\u0000":1}')
    const entry = journaled(t, patch({ a: 2, b: 2 }, ['\u0000']), { base: saw({ a: 1, b: 1, '\u0000': 0 }) })
    expect(await operationsOf(t.backend).replay(entry)).toEqual({ status: 'conflict' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":3,"b":2,"\\u0000":1}')
    const shared = { store: 'hostState', key: 'agents', reason: changed }
    expect(await conflicts(t)).toEqual([
      { ...shared, member: '\u0000', base: 0, ours: undefined, theirs: 1 },
      { ...shared, member: 'a', base: 1, ours: 2, theirs: 3 },
    ])
    expect(await operationsOf(t.backend).replay(entry)).toEqual({ status: 'already' })
    expect(await conflicts(t)).toHaveLength(2)
  })

  test('a whole value that both changed', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '[3]')
    const entry = journaled(t, save([2]), { base: saw([1]) })
    expect(await operationsOf(t.backend).replay(entry)).toEqual({ status: 'conflict' })
    expect(await t.foreign.hostStateText('agents')).toBe('[3]')
    expect(await conflicts(t)).toMatchObject([{ member: null, base: [1], ours: [2], theirs: [3] }])
  })

  test('a save whose writer never saw the key applies, and what it replaces is kept', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '{ "a":1 }')
    expect(await operationsOf(t.backend).replay(journaled(t, save({ b: 2 })))).toEqual({ status: 'applied' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"b":2}')
    const reason = 'replaced by a save that had not seen it'
    expect(await copies(t)).toEqual([{ key: 'agents', data: '{ "a":1 }', reason }])
  })

  test('what cannot be read stays, and ours is kept', async () => {
    await using t = await open()
    await t.foreign.insertHostState('agents', '{"a":')
    expect(await operationsOf(t.backend).replay(journaled(t, save({ b: 2 })))).toEqual({ status: 'conflict' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":')
    const reason = expect.stringMatching(/^what is there is not JSON/)
    expect(await conflicts(t)).toMatchObject([{ member: null, ours: { b: 2 }, theirs: '{"a":', reason }])
  })

  test.each<[string, Operation, object]>([
    [
      'a name that none may have',
      { id: 'o1', kind: 'state-save', key: '../\u0000', value: 1 },
      { store: 'hostState', key: '../\uFFFD', ours: 1 },
    ],
    [
      'a report whose project is no name',
      report({ project: 'a/b', summary: 'kept' }),
      { store: 'completions', key: '7:developer:complete', member: null, ours: { project: 'a/b', summary: 'kept' } },
    ],
    ['text that the database cannot take', report({ summary: '\u0000' }), { ours: { summary: '\u0000' } }],
  ])('%s is refused for good, and kept', async (_, operation, expected) => {
    await using t = await open()
    expect(await operationsOf(t.backend).replay(journaled(t, operation))).toEqual({ status: 'conflict' })
    expect(await conflicts(t)).toMatchObject([expected])
    expect(await applied(t)).toEqual(['o1'])
  })

  test('what another program’s rule of the table refuses is kept', async () => {
    await using t = await open()
    await t.sql.query(`ALTER TABLE nexus_host_state ADD CHECK (data <> '{"a":1}')`)
    expect(await operationsOf(t.backend).replay(journaled(t, save({ a: 1 })))).toEqual({ status: 'conflict' })
    const reason = expect.stringContaining('violates check constraint')
    expect(await conflicts(t)).toMatchObject([{ member: 'a', ours: 1, reason }])
  })

  test('one that is too old to know whether it was applied; what was never sent is no older than that', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', '{"a":1,"b":1}')
    const at = t.clock.now() - 30 * day - 1
    const reason = 'it is too old to know whether it was applied'
    expect(await operations.replay(journaled(t, patch({ a: 1, b: 2 }), { at, base: saw({ b: 1 }) }))).toEqual({
      status: 'conflict',
    })
    expect(await conflicts(t)).toEqual([
      { store: 'hostState', key: 'agents', member: 'b', base: 1, ours: 2, theirs: 1, reason },
    ])
    expect(await operations.replay(journaled(t, { ...report(), id: 'o2' }, { at }))).toEqual({ status: 'conflict' })
    expect(await conflicts(t)).toMatchObject([{ store: 'completions', reason }, {}])
    const unsent = journaled(t, { ...report(), id: 'o3' }, { at, sent: false })
    expect(await operations.replay(unsent)).toEqual({ status: 'applied' })
    const young = journaled(t, save({ a: 1, b: 2 }, 'o4'), { at: at + 1, base: saw({ b: 1 }) })
    expect(await operations.replay(young)).toEqual({ status: 'applied' })
  })

  test('nothing is decided while the database is not available', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.sql.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON nexus_host_state FOR EACH ROW EXECUTE FUNCTION refuse()`)
    const entry = journaled(t, save({ a: 1 }))
    await expect(operations.replay(entry)).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
    await t.sql.query('DROP TRIGGER refuse ON nexus_host_state')
    expect(await operations.replay(entry)).toEqual({ status: 'applied' })
    expect(await conflicts(t)).toEqual([])
  })
})
