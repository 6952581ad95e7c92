import type { JsonValue, Operation } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'
import { conflicts, copies, day, journaled, operationsOf, patch, report, save, saw } from './journaled.ts'
import { present } from './samples.ts'

const open = usePostgres()

const only = async ({ backend }: PgHarness) => present((await operationsOf(backend).conflicts()).items[0])

describe('[C-ROUTE-13] a conflict is over when somebody decided', () => {
  test('theirs: what is there stays', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', '{"a":3}')
    await operations.replay(journaled(t, patch({ a: 2 }), { base: saw({ a: 1 }) }))
    const { id, at } = await only(t)
    expect(at).toBeInstanceOf(Date)
    expect(await operations.resolve(id, 'theirs')).toEqual({ status: 'resolved' })
    expect(await operations.resolve(id, 'ours')).toEqual({ status: 'absent' })
    expect(await t.foreign.hostStateText('agents')).toBe('{"a":3}')
    expect(await conflicts(t)).toEqual([])
  })

  test.each<[string, string, Operation, JsonValue, string]>([
    ['a member', '{"a":3, "b":1}', patch({ a: 2 }), { a: 1 }, '{"a":2, "b":1}'],
    ['a member that goes', '{"a":3, "b":1}', patch({}, ['a']), { a: 1 }, '{"b":1}'],
    ['a whole value', '[3]', save([2]), [1], '[2]'],
    ['a whole value over one that cannot be read', '{"a":', save([2]), [1], '[2]'],
  ])('ours: %s', async (_, text, operation, base, expected) => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', text)
    await operations.replay(journaled(t, operation, { base: saw(base) }))
    const { id, member } = await only(t)
    expect(await operations.resolve(id, 'ours')).toEqual({ status: 'resolved' })
    expect(await t.foreign.hostStateText('agents')).toBe(expected)
    expect(await conflicts(t)).toEqual([])
    const reason = 'replaced by the other side of a conflict'
    expect(await copies(t)).toEqual(member === null ? [{ key: 'agents', data: text, reason }] : [])
  })

  test('ours of a key that is gone by now', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    const other: Operation = { id: 'o2', kind: 'state-patch', key: 'other', entries: { a: 2 }, remove: [] }
    await operations.replay(journaled(t, save([2]), { base: saw([1]) }))
    await operations.replay(journaled(t, other, { base: saw({ a: 1 }) }))
    for (const { id } of (await operations.conflicts()).items)
      expect(await operations.resolve(id, 'ours')).toEqual({ status: 'resolved' })
    expect((await t.backend.hostState.load('agents'))?.value).toEqual([2])
    expect((await t.backend.hostState.load('other'))?.value).toEqual({ a: 2 })
  })

  test('ours that cannot be written stays a conflict', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    await t.foreign.insertHostState('agents', '{"a":3}')
    await operations.replay(journaled(t, patch({ a: 2 }), { base: saw({ a: 1 }) }))
    await t.foreign.writeHostStateText('agents', '[3]')
    await expect(operations.resolve('o1-1', 'ours')).rejects.toMatchObject({ code: 'invalid' })
    await t.foreign.writeHostStateText('agents', '{')
    await expect(operations.resolve('o1-1', 'ours')).rejects.toMatchObject({ code: 'corrupt' })
    await operations.replay(journaled(t, { ...report({ project: 'a/b' }), id: 'o2' }))
    await expect(operations.resolve('o2-1', 'ours')).rejects.toMatchObject({ code: 'invalid' })
    expect(await conflicts(t)).toHaveLength(2)
  })

  test.each([
    ['ours', ['reviewer']],
    ['theirs', []],
  ] as const)('a report: %s', async (take, agents) => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    let payload: JsonValue = 1
    for (let depth = 1; depth < 511; depth += 1) payload = [payload]
    const operation = report({ agentType: 'reviewer', payload: { payload } })
    await operations.replay(journaled(t, operation, { at: t.clock.now() - 31 * day }))
    expect(await operations.resolve('o1-1', take)).toEqual({ status: 'resolved' })
    expect((await t.backend.completions.scan()).items.map(({ agentType }) => agentType)).toEqual(agents)
    expect(await conflicts(t)).toEqual([])
  })

  test('of two who decide at once one does', async () => {
    await using t = await open()
    const backends = [t.backend, await t.peer()].map(operationsOf)
    await operationsOf(t.backend).replay(journaled(t, save([2]), { base: saw([1]) }))
    const answers = await Promise.all(backends.map((operations) => operations.resolve('o1-1', 'ours')))
    expect(answers.map(({ status }) => status).sort()).toEqual(['absent', 'resolved'])
    expect((await t.backend.hostState.load('agents'))?.value).toEqual([2])
  })

  test('[C-ALL-8] they are listed in pages, newest first, each once', async () => {
    await using t = await open()
    const operations = operationsOf(t.backend)
    for (let n = 1; n <= 7; n += 1) await operations.replay(journaled(t, save([n], `o${n}`), { base: saw([0]) }))
    const found: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await operations.conflicts({ cursor, limit: 3 })
      found.push(...page.items.map(({ id }) => id))
      expect(page.items.length).toBeLessThanOrEqual(3)
      cursor = page.cursor
    }
    expect(found).toEqual([7, 6, 5, 4, 3, 2, 1].map((n) => `o${n}-1`))
    await expect(operations.conflicts({ cursor: 'x' })).rejects.toMatchObject({ code: 'invalid' })
    await t.sql.query(`UPDATE nexus_conflicts SET ours = 'cut' WHERE id = 'o3-1'`)
    const { items, corrupt } = await operations.conflicts()
    expect([items.length, corrupt.map(({ name }) => name)]).toEqual([6, ['o3-1']])
  })
})
