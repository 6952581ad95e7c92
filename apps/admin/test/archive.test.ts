import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Backend } from '@nexus/core'
import { describe, expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { Exported } from '../src/archive/export.ts'
import { Imported } from '../src/archive/import.ts'
import { AuditList } from '../src/audit/commands.ts'
import { grounds, jsonOf } from './admin.ts'
import { archiveOf, stateLine } from './archive-lines.ts'

/** Some of everything: 3 reports, a workflow, 1,100 values, a closed task file, and a task that is held. */
const fill = async (stores: Backend): Promise<void> => {
  const report = { issueNumber: '12', agentType: 'developer', payload: { files: 3 }, reportId: null }
  for (const status of ['in-progress', 'blocked', 'complete'] as const)
    await stores.completions.save({ ...report, project: 'shop', status, summary: `It is ${status} – ✓` })
  await stores.workflows.save({
    id: 'shop-12-full',
    name: 'Größe',
    state: 'running',
    currentStep: 1,
    project: 'shop',
    issueNumber: '12',
    data: { steps: [] },
  })
  const keys = Array.from({ length: 1_100 }, (_, index) => `key${index}`)
  await Promise.all(keys.map((key, index) => stores.hostState.save(key, { index, big: '🦉' })))
  await stores.taskFiles.save({
    project: 'shop',
    filename: 'cart.md',
    content: 'The cart forgets.\n',
    issueNumber: '12',
  })
  await stores.taskFiles.close('shop', 'cart.md')
  for (const filename of ['a.md', 'b.md'])
    await stores.inbox.enqueue([{ project: 'shop', workspace: '/w', filename, markdown: `Task ${filename}` }])
  await stores.inbox.claim({ worker: 'w', leaseMs: 3_600_000, limit: 1 })
}

const counts = { workflows: 1, completions: 3, hostState: 1_100, taskFiles: 1, inbox: 2 }
const found = (missing: boolean) =>
  Object.entries(counts).map(([store, records]) => ({
    store,
    records,
    missing: missing ? records : 0,
    equal: missing ? 0 : records,
    different: 0,
  }))

/** The lines that are records, which stand in an order of the backend's own. */
const recordLines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{"store"'))
    .sort()

describe.each([
  ['files', 'postgres'],
  ['postgres', 'files'],
  ['mixed', 'mixed'],
] as const)('an archive of %s, imported into %s', (from, to) => {
  test('holds all records, is verified, and brings each back as it was', async () => {
    await using source = await grounds[from]()
    await using target = await grounds[to]()
    {
      await using stores = await openStores(source.env)
      await fill(stores)
    }
    const file = join(source.folder, 'all.jsonl.gz')
    const exported = jsonOf(Exported, await source.admin(['export', file, '--json']))
    expect(exported).toMatchObject({ file, records: 1_107, stores: counts, corrupt: 0 })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const text = gunzipSync(readFileSync(file)).toString()
    expect(recordLines(text)).toHaveLength(1_107)
    expect((await source.admin(['export', file])).stderr).toContain(`${file} is there already.`)

    const planned = await target.admin(['import', file, '--dry-run', '--json'])
    expect(jsonOf(Imported, planned)).toMatchObject({ status: 'planned', stores: found(true) })
    const unasked = await target.admin(['import', file])
    expect(unasked).toMatchObject({ status: 2, stdout: '' })
    expect(unasked.stderr).toContain('import: write 1107 records and replace 0?')
    const imported = await target.admin(['import', file, '--yes', '--json'])
    expect(jsonOf(Imported, imported)).toMatchObject({
      status: 'imported',
      stores: found(true),
      not_kept: [],
      unlike: [],
    })
    expect(imported.status).toBe(0)

    const back = await target.admin(['export'])
    expect(back.status).toBe(0)
    expect(recordLines(back.stdout)).toEqual(recordLines(text))
    const again = await target.admin(['import', '-', '--yes', '--json'], { input: back.stdout })
    expect(jsonOf(Imported, again)).toMatchObject({ status: 'imported', stores: found(false) })

    {
      await using stores = await openStores(target.env)
      await stores.hostState.save('key7', 'changed')
    }
    const refused = await target.admin(['import', file, '--yes', '--json'])
    expect(refused.status).toBe(1)
    expect(jsonOf(Imported, refused)).toMatchObject({
      status: 'refused',
      different: [{ store: 'hostState', key: 'key7' }],
    })
    expect((await target.admin(['state', 'get', 'key7'])).stdout).toBe('"changed"\n')
    const replaced = await target.admin(['import', file, '--yes', '--replace'])
    expect(replaced).toMatchObject({ status: 0, stderr: expect.stringContaining('1 records lose what is there now') })
    expect(JSON.parse((await target.admin(['state', 'get', 'key7'])).stdout)).toEqual({ index: 7, big: '🦉' })

    const { changes } = jsonOf(AuditList, await target.admin(['audit', '--json']))
    expect(changes.map(({ command, what, result }) => [command, what.length, result])).toEqual([
      ['import', 5, { status: 'done', written: 1, not_kept: 0 }],
      ['import', 5, { status: 'done', written: 1_107, not_kept: 0 }],
    ])
  })
})

test('an import that was stopped goes on beside what was changed since, and leaves that as it is', async () => {
  await using ground = await grounds.files()
  const { admin, env } = ground
  {
    await using stores = await openStores(env)
    await stores.hostState.save('a', 'changed')
  }
  const input = archiveOf([stateLine('a'), stateLine('b')])
  expect((await admin(['import', '--yes'], { input })).stdout).toMatch(/--keep leaves them and writes what is missing/)
  expect((await admin(['import', '--yes', '--keep', '--replace'], { input })).status).toBe(2)
  expect((await admin(['state', 'ls'])).stdout).not.toMatch(/^b$/m)
  const kept = await admin(['import', '--yes', '--keep', '--json'], { input })
  expect(kept.status).toBe(0)
  expect(jsonOf(Imported, kept)).toMatchObject({ status: 'imported', unlike: [] })
  expect((await admin(['state', 'get', 'a'])).stdout).toBe('"changed"\n')
  expect((await admin(['state', 'get', 'b'])).stdout).toBe('1\n')
})

test('of chosen stores only; what cannot be read ends it, or is left out; a link is no target', async () => {
  await using ground = await grounds.files()
  const { admin, env, folder } = ground
  {
    await using stores = await openStores(env)
    await stores.hostState.save('good', 1)
  }
  writeFileSync(join(folder, '.nexus/state/bad.json'), '{"cut')
  const refused = await admin(['export', 'a.jsonl', '--store', 'hostState'])
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(/^unreadable: hostState bad \(.*bad\.json\): is not JSON.*$/m)
  expect(refused.stderr).toMatch(/^1 records cannot be read, so there is no archive\. .* --skip-corrupt\.$/m)
  expect(readdirSync(folder)).toEqual(['.nexus'])

  const without = await admin(['export', 'a.jsonl', '--store', 'hostState', '--skip-corrupt', '--json'])
  expect(jsonOf(Exported, without)).toMatchObject({ records: 1, stores: { hostState: 1 }, corrupt: 1 })
  expect(readFileSync(join(folder, 'a.jsonl'), 'utf8').split('\n')[0]).toMatch(/"stores":\["hostState"\]}$/)

  writeFileSync(join(folder, 'mine'), 'mine')
  symlinkSync('mine', join(folder, 'link.jsonl'))
  const linked = await admin(['export', 'link.jsonl', '--skip-corrupt', '--force'])
  expect(linked).toMatchObject({ status: 1, stdout: '' })
  expect(linked.stderr).toMatch(/link\.jsonl is a symbolic link/)
  expect(readFileSync(join(folder, 'mine'), 'utf8')).toBe('mine')
  mkdirSync(join(folder, 'dir'))
  expect((await admin(['export', 'dir', '--force'])).stderr).toMatch(/dir is no file/)
  expect((await admin(['export', 'none/a.jsonl'])).stderr).toMatch(/cannot be written \(ENOENT\)/)
  expect((await admin(['export', '--json'])).status).toBe(2)
  const down = await admin(['export', 'down.jsonl'], {
    env: { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://nexus:hidden@127.0.0.1:1/nexus' },
  })
  expect(down).toMatchObject({ status: 69, stdout: '' })
  expect(down.stderr).not.toContain('hidden')
  expect(readdirSync(folder).sort()).toEqual(['.nexus', 'a.jsonl', 'dir', 'link.jsonl', 'mine'])
})
