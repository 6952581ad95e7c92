import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { storeNames } from '@nexus/core'
import { expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { endOf } from '../src/move/ends.ts'
import { openMoveFolder } from '../src/move/folder.ts'
import { type Ground, grounds } from './admin.ts'
import { archiveOf, stateLine } from './archive-lines.ts'

const archive = archiveOf([stateLine('a')])

const markMoved = async ({ env }: Ground): Promise<void> => {
  await using stores = await openStores(env)
  await stores.hostState.save('kept', 1)
  await endOf(stores).records.markMoved([
    { store: 'hostState', to: 'elsewhere', at: new Date('2026-01-01T00:00:00.000Z'), by: 'm1' },
  ])
}

const keysOf = async ({ env }: Ground): Promise<string[]> => {
  await using stores = await openStores(env)
  const { records } = endOf(stores)
  return (await records.read('hostState')).items.map(({ key }) => key)
}

test.each(['files', 'postgres'] as const)(
  'a store that has moved from %s is neither archived nor imported into',
  async (kind) => {
    await using ground = await grounds[kind]()
    await markMoved(ground)
    for (const args of [['import', '--yes'], ['import', '--dry-run'], ['export', 'a.jsonl'], ['export']]) {
      const ended = await ground.admin(args, { input: archive })
      expect(ended).toMatchObject({ status: 78, stdout: '' })
      expect(ended.stderr).toContain('The store hostState moved to elsewhere at 2026-01-01T00:00:00.000Z.')
    }
    expect(await keysOf(ground)).toEqual(['kept'])
    expect(readdirSync(ground.folder).filter((name) => name.includes('a.jsonl'))).toEqual([])
    expect(await ground.admin(['export', '--store', 'inbox', 'a.jsonl'])).toMatchObject({ status: 0 })
  },
)

test('while a move of the root is under way nothing is imported', async () => {
  await using ground = await grounds.files()
  const root = join(ground.folder, '.nexus')
  const folder = openMoveFolder(root)
  await folder.save({
    version: 1,
    id: 'm1',
    from: 'filesystem',
    to: 'postgres',
    stores: [...storeNames],
    places: { from: 'one', to: 'other' },
    leave_corrupt: false,
    phase: 'copying',
    undoes: null,
    started_at: '2026-01-01T00:00:00.000Z',
    closed_at: null,
    moved_at: null,
    ended_at: null,
    passes: [],
    verified: null,
  })
  const refused = await ground.admin(['import', '--yes'], { input: archive })
  expect(refused).toMatchObject({ status: 75, stdout: '' })
  expect(refused.stderr).toMatch(/^The move m1 of this root is not over\. .*migrate undo --from filesystem/m)
  expect(await keysOf(ground)).toEqual([])
})

test('an archive of one store needs the home of no other', async () => {
  await using ground = await grounds.files()
  const env = { NEXUS_INBOX_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://nobody:none@127.0.0.1:1/none' }
  expect(await ground.admin(['import', '--yes'], { input: archive, env })).toMatchObject({ status: 0 })
  expect(await keysOf(ground)).toEqual(['a'])
  const exported = await ground.admin(['export', '--store', 'hostState'], { env })
  expect(exported).toMatchObject({ status: 0 })
  expect(exported.stdout).toContain('"key":"a"')
  expect((await ground.admin(['export', '--store', 'inbox'], { env })).status).toBe(69)
})
