import { mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Backend, InboxRecord } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { createFakes } from '@nexus/testkit'
import { type ExistingTree, existingTrees, plantTree, treeDigests } from '@nexus/testkit/existing'
import { describe, expect, test } from 'vitest'
import { recordOf } from '../proof/records.ts'
import { CompletionList } from '../src/act/completions.ts'
import { InboxList } from '../src/act/inbox.ts'
import { Adopted } from '../src/adopt/command.ts'
import type { Roots } from '../src/adopt/roots.ts'
import { AuditList } from '../src/audit/commands.ts'
import { createProgram } from '../src/program.ts'
import { type Ended, type Ground, grounds, jsonOf } from './admin.ts'
import { typed } from './typed.ts'

const mergedOf = (ended: Ended): Roots => {
  const { merged } = jsonOf(Adopted, ended)
  if (!merged) throw new Error('No roots were looked at')
  return merged
}

const totals = ({ roots }: Roots) => {
  const sum = { records: 0, missing: 0, equal: 0, different: 0, unreadable: 0 }
  for (const row of roots)
    for (const member of ['records', 'missing', 'equal', 'different', 'unreadable'] as const) sum[member] += row[member]
  return sum
}

const plant = async ({ folder }: Ground, name: string, tree: ExistingTree): Promise<string> => {
  const place = join(folder, name)
  mkdirSync(place)
  await plantTree(place, tree)
  return place
}

/** A state of a workspace's own root, changed on this day. */
const plantState = (workspace: string, key: string, text: string, day: number): void => {
  const folder = join(workspace, '.nexus/state')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${key}.json`), text)
  utimesSync(join(folder, `${key}.json`), new Date(2025, 2, day), new Date(2025, 2, day))
}

/** Everything in the stores, as an archive has it. */
const everything = async ({ admin }: Ground): Promise<string[]> => {
  const { stdout, status, stderr } = await admin(['export'])
  expect(status, stderr).toBe(0)
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{"store"'))
    .sort()
}

const tasksIn = async ({ admin }: Ground) => jsonOf(InboxList, await admin(['inbox', 'ls', '--json'])).tasks

const reportOf = (issueNumber: string) => ({
  project: 'web',
  issueNumber,
  agentType: 'qa',
  status: 'complete' as const,
  reportId: null,
  payload: {},
})

/** Works in another root, as its own host would. */
const inRoot = async <T>(workspace: string, work: (backend: Backend) => Promise<T>): Promise<T> => {
  await using backend = await openFsBackend({ root: join(workspace, '.nexus'), ...createFakes().context })
  return await work(backend)
}

describe.each(['files', 'postgres', 'mixed'] as const)('folders of workspaces, taken over into %s', (kind) => {
  const { documented, twoProjects, damaged, untidy, workspaces } = existingTrees

  test.each([
    [documented, 18, 0],
    [twoProjects, 11, 0],
    [damaged, 15, 10],
    [untidy, 4, 0],
  ] as const)('are reported, then merged, and stay as they are: $name', async (tree, records, unreadable) => {
    await using ground = await grounds[kind]()
    const { admin } = ground
    const place = await plant(ground, 'field', tree)
    const before = await treeDigests(place)
    const root = join(place, '.nexus')
    const all = { records, missing: records, equal: 0, different: 0, unreadable }
    const end = unreadable > 0 ? 3 : 0

    const planned = await admin(['adopt', root, '--json'])
    expect(planned.status, planned.stderr).toBe(end)
    expect(jsonOf(Adopted, planned).status).toBe('planned')
    expect(totals(mergedOf(planned))).toEqual(all)
    expect(mergedOf(planned).unreadable).toHaveLength(unreadable)
    expect(await everything(ground)).toEqual([])

    const adopted = await admin(['adopt', place, '--yes', '--json'])
    expect(adopted.status, adopted.stdout).toBe(end)
    expect(jsonOf(Adopted, adopted)).toMatchObject({
      status: 'adopted',
      database: null,
      merged: { different: [], renamed: [], not_kept: [], unlike: [] },
    })
    expect(totals(mergedOf(adopted))).toEqual(all)
    expect(await treeDigests(place)).toEqual(before)
    const merged = await everything(ground)
    expect(merged).toHaveLength(records)
    expect((await tasksIn(ground)).map(({ project, filename }) => `${project}/${filename}`).sort()).toEqual(
      tree.readable.inbox,
    )

    const again = await admin(['adopt', root, '--yes', '--json'])
    expect(totals(mergedOf(again))).toEqual({ ...all, missing: 0, equal: records })
    expect(await everything(ground)).toEqual(merged)
    const { changes } = jsonOf(AuditList, await admin(['audit', '--command', 'adopt', '--json']))
    expect(changes.map(({ what, result }) => [what, result])).toEqual([
      [[root], { status: 'done', written: records, not_kept: 0 }],
    ])
  })

  test('reports are as old as their files, and a report that was mirrored is not taken in twice', async () => {
    await using ground = await grounds[kind]()
    const place = await plant(ground, 'field', documented)
    const report = { ...reportOf('9'), summary: 's' }
    await inRoot(place, ({ completions }) => completions.save(report))
    const ended = await ground.admin(['adopt', place, '--yes', '--json'])
    expect(mergedOf(ended).unlike).toEqual([])
    const { completions } = jsonOf(CompletionList, await ground.admin(['completion', 'ls', '--json']))
    expect(completions).toHaveLength(3)
    const created = (await everything(ground)).flatMap((line) => {
      const { store, record } = JSON.parse(line)
      return store === 'completions' && record.issueNumber !== '9' ? [[record.createdAt, record.savedAt]] : []
    })
    const written = '2025-03-03T09:15:02.000Z'
    expect(created).toEqual([
      [written, written],
      [written, written],
    ])
  })

  test('every example of the help does what it says', async () => {
    await using ground = await grounds[kind]()
    plantState(join(ground.folder, 'shop'), 'k', '1', 5)
    plantState(join(ground.folder, 'blog'), 'k', '2', 6)
    const codes: Record<string, number | null> = {}
    const { examples = [] } = (await createProgram()).abouts.get('adopt') ?? {}
    for (const [index, { args }] of typed(ground.folder, examples).entries())
      codes[examples[index] ?? ''] = (await ground.admin(args)).status
    // Without a database there is none to take over.
    const database = kind === 'files' ? 78 : 0
    expect(codes).toEqual({
      'nexus-admin adopt': database,
      'nexus-admin adopt --yes': database,
      'nexus-admin adopt shop/.nexus blog/.nexus': 4,
      'nexus-admin adopt shop blog --prefer newest --yes': 0,
    })
    expect((await ground.admin(['state', 'get', 'k'])).stdout).toBe('2\n')
  })

  test('differ under one key: nothing is changed before it is said which stay', async () => {
    await using ground = await grounds[kind]()
    const { admin, folder } = ground
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    plantState(one, 'k', '1', 5)
    plantState(one, 'same', '[1, 2]', 5)
    plantState(two, 'k', '2', 6)
    plantState(two, 'same', '[1,2]', 5)
    const refused = await admin(['adopt', one, two, '--yes', '--json'])
    expect(refused.status).toBe(4)
    expect(jsonOf(Adopted, refused)).toMatchObject({
      status: 'refused',
      merged: {
        different: [
          { store: 'hostState', key: 'k', root: join(two, '.nexus'), other: join(one, '.nexus'), stays: null },
        ],
      },
    })
    expect((await admin(['state', 'ls'])).stdout).toBe('No keys.\n')
    const first = mergedOf(await admin(['adopt', one, two, '--prefer', 'first', '--yes', '--json']))
    expect(first.different).toMatchObject([{ key: 'k', stays: join(one, '.nexus') }])
    expect((await admin(['state', 'get', 'k'])).stdout).toBe('1\n')
    const newest = mergedOf(await admin(['adopt', one, two, '--prefer', 'newest', '--yes', '--json']))
    expect(newest.different).toMatchObject([{ key: 'k', stays: join(two, '.nexus'), other: 'stores' }])
    expect((await admin(['state', 'get', 'k'])).stdout).toBe('2\n')
  })

  test('a summary cut in half in one root is there from another, and both tasks of one name are kept', async () => {
    await using ground = await grounds[kind]()
    const place = await plant(ground, 'field', workspaces)
    const before = await treeDigests(place)
    const roots = [place, join(place, 'workspaces/app')]
    expect((await ground.admin(['adopt', ...roots, '--yes'])).status).toBe(4)
    const adopted = await ground.admin(['adopt', ...roots, '--prefer', 'first', '--yes', '--json'])
    expect(adopted.status, adopted.stderr).toBe(3)
    expect(mergedOf(adopted)).toMatchObject({ unlike: [], not_kept: [], renamed: [] })
    const { completions } = jsonOf(CompletionList, await ground.admin(['completion', 'ls', '--json']))
    expect(completions).toMatchObject([{ project: 'web', issue: '42', agent: 'developer' }])
    expect((await tasksIn(ground)).map(({ filename }) => filename)).toEqual(['task_42.md', 'task_42.md'])
    const merged = await everything(ground)
    const again = await ground.admin(['adopt', ...roots, '--prefer', 'first', '--yes', '--json'])
    expect(totals(mergedOf(again)).missing).toBe(0)
    expect(await everything(ground)).toEqual(merged)
    expect(await treeDigests(place)).toEqual(before)
  })

  test('two tasks under one id are both kept, and the workflow names its own', async () => {
    await using ground = await grounds[kind]()
    const { folder } = ground
    const places = ['one', 'two'].map((name) => join(folder, name))
    for (const [index, place] of places.entries()) {
      const task: InboxRecord = { ...recordOf('inbox', 0), id: '7', project: `p${index}`, filename: 'a.md' }
      const workflow = recordOf('workflows', index)
      const data = { ...JSON.parse(workflow.data), metadata: { inbox_task_id: '7', big: 'ä' }, failure: { task: '7' } }
      mkdirSync(join(place, '.nexus'), { recursive: true })
      await inRoot(place, async ({ records }) => {
        await records?.write('inbox', [task])
        await records?.write('workflows', [{ ...workflow, data: JSON.stringify(data) }])
        await records?.write('completions', [
          { ...recordOf('completions', 0), project: `p${index}`, dedupKey: '1:qa:complete' },
        ])
      })
    }
    const adopted = mergedOf(await ground.admin(['adopt', ...places, '--yes', '--json']))
    expect(adopted).toMatchObject({ different: [], unlike: [], renamed: [{ root: join(places[1] ?? '', '.nexus') }] })
    const [{ id = '' } = {}] = adopted.renamed
    expect((await tasksIn(ground)).map((task) => [task.id, task.project]).sort()).toEqual(
      [
        ['7', 'p0'],
        [id, 'p1'],
      ].sort(),
    )
    const merged = await everything(ground)
    const owners = merged.flatMap((line) => {
      const { store, record } = JSON.parse(line)
      const { metadata, failure } = store === 'workflows' ? JSON.parse(record.data) : {}
      return store === 'workflows' ? [[record.id, metadata, failure]] : []
    })
    expect(owners).toEqual([
      [recordOf('workflows', 0).id, { inbox_task_id: '7', big: 'ä' }, { task: '7' }],
      [recordOf('workflows', 1).id, { inbox_task_id: id, big: 'ä' }, { task: id }],
    ])
    expect(merged.filter((line) => line.startsWith('{"store":"completions"'))).toHaveLength(2)
    for (const order of [places, places.toReversed(), places.slice(1)]) {
      expect(totals(mergedOf(await ground.admin(['adopt', ...order, '--yes', '--json']))).missing).toBe(0)
      expect(await everything(ground)).toEqual(merged)
    }
  })
})

test('what is no root, or the one in use, is said; links in a root are left out', async () => {
  await using ground = await grounds.files()
  const { admin, folder } = ground
  plantState(folder, 'own', '1', 3)
  writeFileSync(join(folder, 'file'), '')
  const other = join(folder, 'other')
  plantState(other, 'k', '1', 3)
  for (const [paths, reason] of [
    [['none'], /^none cannot be read \(ENOENT\)/m],
    [['file'], /^file is no folder/m],
    [['.nexus'], /is the root in use \(NEXUS_DIR\)/],
    [['other', 'other/.nexus'], /is named twice/],
  ] as const) {
    const { status, stderr } = await admin(['adopt', ...paths, '--yes'])
    expect({ paths, status }, stderr).toEqual({ paths, status: 2 })
    expect(stderr).toMatch(reason)
  }
  writeFileSync(join(folder, 'secret.json'), '"secret"')
  symlinkSync(join(folder, 'secret.json'), join(other, '.nexus/state/secret.json'))
  expect(await admin(['adopt', 'other', '--yes'])).toMatchObject({ status: 0 })
  expect((await admin(['state', 'ls'])).stdout).toBe('k\nown\n')
  expect(readFileSync(join(other, '.nexus/state/k.json'), 'utf8')).toBe('1')
})
