import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { BulkResult } from '../src/act/bulk.ts'
import { CompletionList, CompletionShown } from '../src/act/completions.ts'
import { StateKeys, StatePatched, StateShown, StateWritten } from '../src/act/state.ts'
import { TaskFileList, TaskFilePut, TaskFileShown } from '../src/act/task-files.ts'
import { AuditList } from '../src/audit/commands.ts'
import { grounds, jsonOf } from './admin.ts'

describe.each(Object.entries(grounds))('on %s', (_, open) => {
  test('nexus-admin state: values are set, patched, read and edited, under their revs', async () => {
    await using ground = await open()
    const { folder } = ground
    const admin = (args: string[], options?: Parameters<typeof ground.admin>[1]) =>
      ground.admin(['state', ...args], options)
    const set = jsonOf(
      StateWritten,
      await admin(['set', 'k', '--if-absent', '--json'], { input: '{"a": 1, "b": "x"}' }),
    )
    expect(set.status).toBe('saved')
    const refused = await admin(['set', 'k', '--if-rev', 'other', '--json'], { input: '2' })
    expect(refused.status).toBe(1)
    expect(jsonOf(StateWritten, refused)).toMatchObject({ status: 'conflict', rev: set.rev })
    const patched = await admin(['patch', 'k', '--set', 'c=[true]', '--set', 'd="y"', '--remove', 'b', '--json'])
    expect(jsonOf(StatePatched, patched).status).toBe('saved')
    const shown = jsonOf(StateShown, await admin(['get', 'k', '--json']))
    expect(shown.value).toEqual({ a: 1, c: [true], d: 'y' })
    expect(jsonOf(StateKeys, await admin(['ls', '--json']))).toMatchObject({ keys: ['k'], cursor: null })
    expect(await admin(['get', 'none'])).toMatchObject({ status: 1, stdout: '' })

    // The editor of this test changes the file; the other one also lets somebody else change the value meanwhile.
    const editor = (script: string): Record<string, string> => {
      writeFileSync(join(folder, 'editor.sh'), script)
      return { EDITOR: `sh '${join(folder, 'editor.sh')}'` }
    }
    const edited = await admin(['edit', 'k', '--json'], { env: editor('sed -i s/1/7/ "$1"') })
    expect(jsonOf(StateWritten, edited).status).toBe('saved')
    expect(jsonOf(StateShown, await admin(['get', 'k', '--json'])).value).toEqual({ a: 7, c: [true], d: 'y' })
    const program = join(import.meta.dirname, '../dist/main.js')
    const meanwhile = `echo 9 | '${process.execPath}' '${program}' state set k >/dev/null\nsed -i s/7/8/ "$1"`
    const overtaken = await admin(['edit', 'k'], { env: editor(meanwhile) })
    expect(overtaken).toMatchObject({ status: 1, stdout: '' })
    const kept = /Your text is kept: (\S+)/.exec(overtaken.stderr)?.[1] ?? ''
    expect(JSON.parse(readFileSync(kept, 'utf8'))).toEqual({ a: 8, c: [true], d: 'y' })
    expect((await admin(['get', 'k'])).stdout).toBe('9\n')
    const scalar = await admin(['patch', 'k', '--set', 'a=1', '--json'])
    expect(scalar.status).toBe(1)
    expect(jsonOf(StatePatched, scalar).status).toBe('not-object')
  })

  test('nexus-admin task and completion: files are put, closed and opened again, reports are read', async () => {
    await using ground = await open()
    const { admin, env, folder } = ground
    writeFileSync(join(folder, 'cart.md'), 'The cart forgets.\n')
    const put = await admin(['task', 'put', 'shop', 'cart.md', '--issue', '12', '--if-absent', '--json'])
    expect(jsonOf(TaskFilePut, put)).toMatchObject({ filename: 'cart.md', status: 'saved' })
    const again = await admin(['task', 'put', 'shop', '-', '--filename', 'cart.md', '--if-absent'], { input: 'x' })
    expect(again).toMatchObject({ status: 1 })
    const closed = jsonOf(BulkResult, await admin(['task', 'close', 'shop', 'cart.md', 'none.md', '--json']))
    expect(closed.items.map(({ id, status }) => [id, status])).toEqual([
      ['cart.md', 'closed'],
      ['none.md', 'absent'],
    ])
    const listed = jsonOf(TaskFileList, await admin(['task', 'ls', '--project', 'shop', '--state', 'closed', '--json']))
    expect(listed.files).toMatchObject([{ filename: 'cart.md', issue: '12', state: 'closed' }])
    const reopened = await admin(['task', 'reopen', 'shop', '--issue', '12', '--yes'])
    expect(reopened).toMatchObject({ status: 0, stdout: 'cart.md: reopened.\n' })
    expect(jsonOf(TaskFileShown, await admin(['task', 'show', 'shop', 'cart.md', '--json'])).file).toMatchObject({
      state: 'active',
      content: 'The cart forgets.\n',
    })

    await using stores = await openStores(env)
    const report = { issueNumber: '12', agentType: 'developer', payload: { files: 3 }, reportId: null }
    await stores.completions.save({ ...report, project: 'shop', status: 'in-progress', summary: 'Begun.' })
    await stores.completions.save({ ...report, project: 'shop', status: 'complete', summary: 'Done.' })
    const latest = jsonOf(CompletionList, await admin(['completion', 'ls', '--json']))
    expect(latest.completions.map(({ summary }) => summary)).toEqual(['Done.'])
    const history = jsonOf(CompletionList, await admin(['completion', 'history', '12', '--limit', '1', '--json']))
    expect(history.completions.map(({ summary }) => summary)).toEqual(['Done.'])
    const next = await admin(['completion', 'history', '12', '--cursor', history.cursor ?? '', '--json'])
    expect(jsonOf(CompletionList, next).completions.map(({ summary }) => summary)).toEqual(['Begun.'])
    expect(jsonOf(CompletionShown, await admin(['completion', 'show', '12', '--json'])).completion.payload).toEqual({
      files: 3,
    })
    await stores.completions.save({ ...report, project: 'blog', status: 'complete', summary: 'Other.' })
    const unclear = await admin(['completion', 'show', '12'])
    expect(unclear).toMatchObject({ status: 2, stdout: '' })
    expect(unclear.stderr).toMatch(/^Issue 12 has reports in blog, shop\. Say which: --project shop$/m)
    expect((await admin(['completion', 'show', '12', '--project', 'blog'])).stdout).toMatch(/^summary +Other\.$/m)

    const { changes } = jsonOf(AuditList, await admin(['audit', '--command', 'task', '--json']))
    expect(changes.map(({ command, what }) => [command, what])).toEqual([
      ['task reopen', ['cart.md']],
      ['task close', ['cart.md', 'none.md']],
      ['task put', ['shop/cart.md']],
      ['task put', ['shop/cart.md']],
    ])
  })
})

test('nexus-admin state: a whole number that a double cannot hold is refused, and kept where it is', async () => {
  await using ground = await grounds.files()
  const { admin, env } = ground
  const big = '9007199254740993'
  for (const args of [
    ['set', 'k'],
    ['patch', 'k', '--from', '-'],
  ])
    expect(await admin(['state', ...args], { input: `{"a":[${big}],"text":"${big}"}` })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(` holds ${big}, which would be saved as 9007199254740992. Write it as a string.`),
    })
  expect((await admin(['state', 'set', 'k'], { input: `[1152921504606846976, "${big}"]` })).status).toBe(0)
  const file = join(env['NEXUS_DIR'] ?? '', 'state', 'k.json')
  writeFileSync(file, `{"a": ${big}}`)
  const edited = await admin(['state', 'edit', 'k'], { env: { EDITOR: 'true' } })
  expect(edited).toMatchObject({ status: 1, stdout: '' })
  expect(edited.stderr).toContain('k holds a whole number beyond 2^53')
  expect((await admin(['state', 'patch', 'k', '--set', 'b=1'])).status).toBe(0)
  expect(readFileSync(file, 'utf8')).toContain(big)
})

test('nexus-admin state: what is no JSON, or no change, is said, and nothing is written', async () => {
  await using ground = await grounds.files()
  const { admin } = ground
  expect((await admin(['state', 'set', 'k'], { input: '{' })).stderr).toMatch(/^Standard input is not JSON \(.*\)\.$/m)
  expect(await admin(['state', 'patch', 'k', '--set', 'a=b'])).toMatchObject({ status: 2, stdout: '' })
  expect(await admin(['state', 'patch', 'k'])).toMatchObject({ status: 2, stdout: '' })
  expect(await admin(['state', 'edit', 'k'], { env: { EDITOR: 'true' } })).toMatchObject({
    status: 1,
    stderr: 'k: nothing was changed.\n',
  })
  expect((await admin(['state', 'edit', 'k'], { env: { EDITOR: 'false' } })).status).toBe(1)
  expect((await admin(['state', 'ls'])).stdout).toBe('No keys.\n')
})
