import { isStoreError, type StoreError } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { type PgHarness, usePostgres } from './harness.ts'
import { aCompletion, aWorkflow, present } from './samples.ts'

const open = usePostgres()

const corrupt = async (call: Promise<unknown>): Promise<StoreError> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isStoreError(error, 'corrupt')) throw new Error('It was not refused as corrupt.')
  return error
}

const copies = async ({ sql }: PgHarness): Promise<unknown[]> =>
  (await sql.query('SELECT store, key, data FROM nexus_quarantine ORDER BY id')).rows

/** Texts that are no document of ours; the last three are JSON for the database. */
const unreadable = ['', '{"a": 1', '{"a": 1e999}', '['.repeat(600) + ']'.repeat(600), `[${'9'.repeat(400)}]`]

describe('unreadable host state', () => {
  test.each(unreadable)('[C-ALL-9] is kept as a copy before a save replaces it, text %#', async (text) => {
    await using t = await open()
    const { hostState } = t.backend
    await t.foreign.insertHostState('launched_agents', text)
    const error = await corrupt(hostState.load('launched_agents'))
    expect(error.place).toBe('nexus_host_state key=launched_agents')
    expect((await corrupt(hostState.save('launched_agents', 1))).rev).toBe(error.rev)
    expect(await hostState.save('launched_agents', 1, { ifRev: null })).toEqual({
      status: 'conflict',
      current: error.rev,
    })
    expect(await copies(t)).toEqual([])
    expect(await hostState.save('launched_agents', 1, { ifRev: present(error.rev) })).toMatchObject({ status: 'saved' })
    expect(await copies(t)).toEqual([{ store: 'nexus_host_state', key: 'launched_agents', data: text }])
  })

  test('[C-ALL-9] is kept as a copy when it is deleted', async () => {
    await using t = await open()
    await t.foreign.insertHostState('launched_agents', 'x')
    expect(await t.backend.hostState.delete('launched_agents')).toEqual({ status: 'deleted' })
    expect(await copies(t)).toEqual([{ store: 'nexus_host_state', key: 'launched_agents', data: 'x' }])
  })

  test('[C-STATE-1] what the database alone does not read is an ordinary value', async () => {
    await using t = await open()
    const { hostState } = t.backend
    await t.foreign.insertHostState('merge_queue', '\uFEFF{"a": 1e100}')
    expect(await hostState.load('merge_queue')).toMatchObject({ value: { a: 1e100 } })
    expect(await hostState.save('merge_queue', 2)).toMatchObject({ status: 'saved' })
    expect(await copies(t)).toEqual([])
  })
})

test('[C-ALL-9] an unreadable workflow is kept as a copy before a save replaces it', async () => {
  await using t = await open()
  const { workflows } = t.backend
  await workflows.save(aWorkflow())
  await t.foreign.writeWorkflowText('alpha-7-full', '[1]')
  const error = await corrupt(workflows.load('alpha-7-full'))
  expect((await corrupt(workflows.save(aWorkflow()))).rev).toBe(error.rev)
  expect((await workflows.list({ state: 'running' })).corrupt).toMatchObject([{ name: 'alpha-7-full', rev: error.rev }])
  expect(await workflows.save(aWorkflow(), { ifRev: present(error.rev) })).toMatchObject({ status: 'saved' })
  expect(await copies(t)).toEqual([{ store: 'nexus_workflows', key: 'alpha-7-full', data: '[1]' }])
})

test('[C-ALL-9] an unreadable completion is kept as a copy before the next report replaces it', async () => {
  await using t = await open()
  const { completions } = t.backend
  await completions.save(aCompletion())
  await t.sql.query(`UPDATE nexus_completions SET data = 'cut in ha'`)
  expect((await completions.scan()).corrupt).toMatchObject([{ name: '7:developer:complete' }])
  expect(await completions.save(aCompletion())).toEqual({ status: 'updated', dedupKey: '7:developer:complete' })
  expect(await copies(t)).toEqual([{ store: 'nexus_completions', key: '7:developer:complete', data: 'cut in ha' }])
  expect((await completions.scan()).items).toMatchObject([{ payload: { verdict: 'good' } }])
})
