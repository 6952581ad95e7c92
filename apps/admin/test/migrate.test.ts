import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, createIds, type Records, silentLogger, storeNames, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { describe, expect, test } from 'vitest'
import { fillStore, recordOf } from '../proof/records.ts'
import { Differences } from '../src/move/diff.ts'
import { Receipt } from '../src/move/migrate-commands.ts'
import { MovePlan } from '../src/move/plan.ts'
import { type Ended, type Ground, grounds, jsonOf } from './admin.ts'

const context = {
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown' as const,
}

const openFiles = ({ env }: Ground): Promise<Backend> => openFsBackend({ root: env['NEXUS_DIR'] ?? '', ...context })
const openDatabase = ({ env }: Ground): Promise<Backend> =>
  openPgBackend({ dsn: env['NEXUS_STORAGE_DSN'] ?? '', ...context })

const recordsOf = ({ records }: Backend): Records => {
  if (!records) throw new Error('no records')
  return records
}

const fill = async (backend: Backend, amount: number): Promise<void> => {
  for (const store of storeNames) await fillStore(recordsOf(backend), store, amount)
}

/** A database, and files to move there. */
const openGround = async (): Promise<Ground> => {
  const ground = await grounds.mixed()
  return { ...ground, env: { ...ground.env, NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' } }
}

const there = ['--from', 'filesystem', '--to', 'postgres']
const files = { NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' }
const database = { NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_INBOX_BACKEND: '', NEXUS_COMPLETION_BACKEND: '' }

/** The samples have tasks of hosts on other machines, which nobody need wait for here. */
const impatient = (order: string): string[] => (order === 'run' || order === 'undo' ? ['--drain-timeout', '0'] : [])

const migrate = (ground: Ground, order: string, args: readonly string[] = []): Promise<Ended> =>
  ground.admin(['migrate', order, ...there, ...impatient(order), ...args], { env: files })

describe('nexus-admin migrate', () => {
  test('plans, runs, verifies and finishes a move, and says so in its receipt', async () => {
    await using ground = await openGround()
    {
      await using source = await openFiles(ground)
      await fill(source, 40)
    }
    const plan = await migrate(ground, 'plan', ['--json'])
    expect(plan, plan.stderr).toMatchObject({ status: 0 })
    const planned = jsonOf(MovePlan, plan)
    expect(planned).toMatchObject({ from: 'filesystem', to: 'postgres', under_way: null, problems: [] })
    expect(planned.stores.map(({ store, records, corrupt }) => [store, records, corrupt])).toEqual(
      storeNames.map((store) => [store, 40, 0]),
    )
    expect(planned.variables).toEqual({
      NEXUS_WORKFLOW_BACKEND: 'postgres',
      NEXUS_COMPLETION_BACKEND: 'postgres',
      NEXUS_HOST_STATE_BACKEND: 'postgres',
      NEXUS_TASK_BACKEND: 'postgres',
      NEXUS_INBOX_BACKEND: 'postgres',
    })

    const run = await migrate(ground, 'run', ['--json'])
    expect(run, run.stderr).toMatchObject({ status: 0 })
    const { file, receipt } = jsonOf(Receipt, run)
    expect(receipt).toMatchObject({ phase: 'moved', from: 'filesystem', to: 'postgres' })
    expect(receipt.verified?.map(({ store, records, left }) => [store, records, left])).toEqual(
      storeNames.map((store) => [store, 40, 0]),
    )
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(receipt)

    // Whoever still looks for them in the files is told where they are.
    const old = await ground.admin(['workflow', 'list'], { env: files })
    expect(old).toMatchObject({ status: 78, stdout: '' })
    expect(old.stderr).toMatch(/NEXUS_WORKFLOW_BACKEND=postgres/)
    const now = await ground.admin(['workflow', 'list', '--json'], { env: database })
    expect(now.status, now.stderr).toBe(0)
    expect(JSON.parse(now.stdout).workflows).toHaveLength(40)

    const verify = await migrate(ground, 'verify', ['--json'])
    expect(verify.status, verify.stderr).toBe(0)
    expect(jsonOf(Differences, verify)).toMatchObject({ equal: true, differences: [] })

    expect((await migrate(ground, 'finish')).status).toBe(2)
    const finish = await migrate(ground, 'finish', ['--yes', '--json'])
    expect(finish.status, finish.stderr).toBe(0)
    expect(jsonOf(Receipt, finish).receipt).toMatchObject({ id: receipt.id, phase: 'finished' })
    await using source = await openFiles(ground)
    for (const store of storeNames) expect((await recordsOf(source).read(store)).items, store).toEqual([])
    // Files dropped there are tasks again; all else stays closed.
    expect((await recordsOf(source).moved()).map(({ store }) => store).sort()).toEqual(
      storeNames.filter((store) => store !== 'inbox').sort(),
    )
    expect((await migrate(ground, 'run')).status).toBe(1)
  })

  test('who only looks leaves the reports of the mailbox to whoever takes them in', async () => {
    await using ground = await openGround()
    const folder = join(ground.env['NEXUS_DIR'] ?? '', 'tasks', 'shop', 'completions')
    mkdirSync(folder, { recursive: true })
    const report = { issue_number: '7', agent_type: 'tester', status: 'complete', summary: 'unseen' }
    writeFileSync(join(folder, 'completion_summary_7.json'), JSON.stringify(report))
    expect((await migrate(ground, 'plan')).status).toBe(0)
    for (const order of [['migrate', 'verify'], ['diff']]) {
      const found = await ground.admin([...order, ...there, '--json'], { env: files })
      expect(jsonOf(Differences, found).stores.find(({ store }) => store === 'completions')).toMatchObject({
        from_records: 0,
        to_records: 0,
      })
    }
    await using source = await openFiles(ground)
    const { items } = await recordsOf(source).read('completions', { limit: 10 })
    expect(items.map(({ summary }) => summary)).toEqual(['unseen'])
  })

  test('takes back what has changed since, and asks before it deletes what only the copy has', async () => {
    await using ground = await openGround()
    {
      await using source = await openFiles(ground)
      await fill(source, 12)
    }
    expect((await migrate(ground, 'run')).status).toBe(0)
    {
      await using target = await openDatabase(ground)
      await target.hostState.save('since', [1])
      await target.hostState.delete('state_3')
      await target.taskFiles.save({ project: 'alpha', filename: 'task-4.md', content: 'other words' })
    }
    const verify = await migrate(ground, 'verify', ['--json'])
    expect(verify.status).toBe(4)
    const found = jsonOf(Differences, verify)
    expect(found.differences).toEqual([
      { store: 'hostState', key: 'state_3', is: 'missing', members: [] },
      { store: 'hostState', key: 'since', is: 'extra', members: [] },
      { store: 'taskFiles', key: '["alpha","task-4.md","active"]', is: 'different', members: ['content', 'updatedAt'] },
    ])
    const asked = await migrate(ground, 'undo')
    expect(asked.status).toBe(2)
    expect(asked.stderr).toContain('2 records come back new or changed; 1 are in filesystem alone.')
    const undone = await migrate(ground, 'undo', ['--yes', '--json'])
    expect(undone.status, undone.stderr).toBe(0)
    expect(jsonOf(Receipt, undone).receipt.phase).toBe('undone')
    await using source = await openFiles(ground)
    await using target = await openDatabase(ground)
    expect((await source.hostState.load('since'))?.value).toEqual([1])
    expect(await source.hostState.load('state_3')).toBeNull()
    expect((await source.taskFiles.load('alpha', 'task-4.md'))?.content).toBe('other words')
    await expect(target.hostState.load('since')).rejects.toMatchObject({ code: 'unavailable', movedTo: 'filesystem' })
    expect(readdirSync(join(ground.folder, '.nexus', '.move')).filter((name) => name.endsWith('.json'))).toHaveLength(2)
  })

  test('with the DSN of another database nothing is taken back, and nothing there is deleted', async () => {
    await using ground = await openGround()
    {
      await using source = await openFiles(ground)
      await fill(source, 3)
    }
    const { receipt } = jsonOf(Receipt, await migrate(ground, 'run', ['--json']))
    await using other = await freshDatabase(await testDsn())
    const env = { ...files, NEXUS_STORAGE_DSN: other.dsn }
    await using target = await openDatabase({ ...ground, env })
    await target.hostState.save('dear', 1)
    for (const order of ['undo', 'finish']) {
      const refused = await ground.admin(['migrate', order, ...there, '--yes'], { env })
      expect(refused).toMatchObject({ status: 78, stdout: '' })
      expect(refused.stderr).toMatch(/^This postgres is not the one that the move \S+ was begun with/m)
    }
    expect((await target.hostState.load('dear'))?.value).toBe(1)
    const present = await recordsOf(target).identity()
    const order = ['migrate', 'undo', ...there, '--target-lost']
    expect((await ground.admin([...order, '--yes'], { env })).status).toBe(2)
    expect((await ground.admin([...order, present, '--yes'], { env })).status).toBe(2)
    const asked = await ground.admin([...order, receipt.places.to], { env })
    expect(asked).toMatchObject({ status: 2, stdout: '' })
    expect(asked.stderr).toContain(
      `the postgres of this move was ${receipt.places.to}, and this one is ${present}. Is the first lost for good, and is every host stopped?`,
    )
    const lost = await ground.admin([...order, receipt.places.to, '--yes'], { env })
    expect(lost.status, lost.stderr).toBe(0)
    await using source = await openFiles(ground)
    expect((await source.hostState.load('state_1'))?.value).toEqual({ n: 1, list: ['a b', 1.5] })
    expect((await target.hostState.load('dear'))?.value).toBe(1)
  })

  test('a move that cannot be ended is given up: the source is open again, the target empty', async () => {
    await using ground = await openGround()
    await using source = await openDatabase(ground)
    await fill(source, 6)
    // Files keep completions by project.
    const odd = { ...recordOf('completions', 99), project: null }
    await recordsOf(source).write('completions', [odd])
    const back = ['--from', 'postgres', '--to', 'filesystem']
    const options = { env: { ...database, NEXUS_STORAGE_BACKEND: 'postgres' } }
    const run = await ground.admin(['migrate', 'run', ...back], options)
    expect(run).toMatchObject({ status: 1, stdout: '' })
    expect(run.stderr).toContain(`completions: The record ${odd.dedupKey} of completions cannot be kept here`)
    expect((await ground.admin(['migrate', 'undo', ...back], options)).status).toBe(0)
    expect((await source.hostState.save('goes on', 1)).status).toBe('saved')
    await using target = await openFiles(ground)
    for (const store of storeNames) expect((await recordsOf(target).read(store)).items, store).toEqual([])
    expect(await recordsOf(target).moved()).toEqual([])
  })

  test('refuses what stands in its way, each with what to do', async () => {
    await using ground = await openGround()
    await using source = await openFiles(ground)
    await source.hostState.save('a', 1)
    await using target = await openDatabase(ground)
    await target.hostState.save('b', 2)
    const plan = await migrate(ground, 'plan', ['--json'])
    expect(plan.status).toBe(3)
    expect(jsonOf(MovePlan, plan).problems).toEqual([
      'postgres is not empty: it holds hostState. Look at it with nexus-admin diff --from filesystem --to postgres, then empty it, or name an empty database or root.',
    ])
    const run = await migrate(ground, 'run')
    expect(run).toMatchObject({ status: 1, stdout: '' })
    expect(run.stderr).toContain('postgres is not empty: it holds hostState.')
    // Another store is free to go.
    expect((await migrate(ground, 'run', ['--store', 'inbox'])).status).toBe(0)
    expect(await migrate(ground, 'plan', ['--store', 'mail'])).toMatchObject({ status: 2, stdout: '' })
    const without = await ground.admin(['migrate', 'plan', ...there], { env: { ...files, NEXUS_STORAGE_DSN: '' } })
    expect(without).toMatchObject({ status: 78, stdout: '' })
    expect(without.stderr).toMatch(/^NEXUS_STORAGE_DSN is not set: a move needs both backends\./)
  })
})
