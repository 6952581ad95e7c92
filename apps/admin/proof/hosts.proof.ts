import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BackendName, isStoreError } from '@nexus/core'
import { expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { verify } from '../../host/proof/verify.ts'
import { createWorld, enqueuedTask, projects, routings, type World } from '../../host/proof/world.ts'
import { until } from '../../host/test/until.ts'
import { createDice, type MigratorEnd, runMigrator } from './migrator.ts'
import { plantedAdmin } from './planted.ts'
import { report } from './records.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
const hostMain = fileURLToPath(new URL('../../host/dist/main.js', import.meta.url))
const patienceMs = isLong ? 600_000 : 120_000
const ended = { exit: 78, variable: /NEXUS_[A-Z_]+_BACKEND=(filesystem|postgres)/ }

const other = (home: BackendName): BackendName => (home === 'postgres' ? 'filesystem' : 'postgres')

const variablesAt = (world: World, home: BackendName): Record<string, string> => ({
  NEXUS_STORAGE_BACKEND: home,
  NEXUS_STORAGE_DSN: world.database.dsn,
  NEXUS_DIR: join(world.root, '.nexus'),
})

const spawnHost = (world: World, home: BackendName, said: string[]): ChildProcess => {
  const started = spawn(process.execPath, [hostMain, 'run', '--config', join(world.root, 'nexus.yaml')], {
    cwd: world.root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...variablesAt(world, home) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [started.stdout, started.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => said.push(text))
  return started
}

/** A host that works on a world, wherever its stores are at home. */
const createWorker = (world: World) => {
  const said: string[] = []
  let before = 0
  let child: ChildProcess | null = null
  const isGone = (): boolean => child === null || child.exitCode !== null || child.signalCode !== null
  return {
    said,
    start(home: BackendName): void {
      before = said.length
      child = spawnHost(world, home, said)
    },
    /** The store has moved: it has ended by itself, and named the variable. */
    async meetsMove(to: BackendName): Promise<void> {
      await until('the end of the host whose store has moved', isGone, patienceMs)
      expect(child?.exitCode).toBe(ended.exit)
      const last = said.slice(before).join('')
      expect(last).toMatch(ended.variable)
      expect(last).toContain(`"moved_to":"${to}"`)
    },
    async isReady(): Promise<void> {
      await until(
        'a host that is ready',
        () => isGone() || said.slice(before).join('').includes('host ready'),
        patienceMs,
      )
      expect(isGone(), said.slice(before).join('')).toBe(false)
    },
    async end(signal: NodeJS.Signals): Promise<number | null> {
      if (child === null || isGone()) return child?.exitCode ?? null
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
      return child.exitCode
    },
  }
}

interface Plan {
  from: BackendName
  tasks: number
  kills: number
  /** Of the migrator; the built one unless given. */
  program?: string
  drawn?: number
}

interface MigrateOptions {
  order: 'run' | 'finish' | 'verify'
  killAfterMs?: number
  program?: string | undefined
  force?: boolean
}

const migrate = (
  world: World,
  home: BackendName,
  { order, killAfterMs, program, force = false }: MigrateOptions,
): Promise<MigratorEnd> => {
  const drain = order === 'run' ? ['--drain-timeout', '20'] : []
  const finish = order === 'finish' ? ['--yes', ...(force ? ['--force'] : [])] : []
  const args = ['migrate', order, '--from', home, '--to', other(home), ...drain, ...finish]
  return runMigrator(args, { env: variablesAt(world, home), program, ...(killAfterMs && { killAfterMs }) })
}

const succeeded = ({ status, stderr }: MigratorEnd, what: string): void => expect(status, `${what}\n${stderr}`).toBe(0)

/** Brings tasks to where the inbox is at home; 0 where a killed migrator has left it closed for now. */
const bring = async (world: World, home: BackendName, numbers: readonly number[]): Promise<number> => {
  await using stores = await openStores(variablesAt(world, home))
  try {
    await stores.inbox.enqueue(numbers.map((n) => enqueuedTask(n, projects[n % projects.length] ?? '')))
    return numbers.length
  } catch (error) {
    if (isStoreError(error, 'unavailable') && error.movedTo !== undefined) return 0
    throw error
  }
}

const numbersFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, n) => first + n)

const untilDone = async (world: World, home: BackendName, tasks: number): Promise<void> => {
  await using stores = await openStores(variablesAt(world, home))
  await until('the end of all tasks', async () => (await stores.inbox.counts()).done === tasks, patienceMs)
}

/** Moves to and fro beside a host at work, until so many migrators were killed and all tasks are over. */
const play = async ({ from, tasks, kills, program, drawn = seed }: Plan) => {
  const dice = createDice(drawn)
  await using world = await createWorld(routings[from === 'postgres' ? 'postgres' : 'files'] ?? {})
  const worker = createWorker(world)
  const log = { kills: 0, moves: 0, killed_at: [] as number[] }
  let home = from
  let brought = await bring(world, home, numbersFrom(0, Math.ceil(tasks / 3)))
  const arrives = async (): Promise<void> => {
    log.moves += 1
    home = other(home)
    await worker.meetsMove(home)
    // Before hosts change at the target what the kept copy has.
    succeeded(await migrate(world, other(home), { order: 'finish', force: program !== undefined }), 'finish')
    worker.start(home)
    await worker.isReady()
  }
  worker.start(home)
  try {
    await until('the first agent', async () => (await world.notes()).length > 0, patienceMs)
    while (log.kills < kills) {
      const more = Math.min(tasks - brought, Math.ceil(tasks / kills))
      if (more > 0) brought += await bring(world, home, numbersFrom(brought, more))
      const killAfterMs = 300 + dice(4_000)
      const end = await migrate(world, home, { order: 'run', killAfterMs, program })
      if (end.wasKilled) {
        log.kills += 1
        log.killed_at.push(killAfterMs)
        continue
      }
      succeeded(end, 'run')
      await arrives()
    }
    succeeded(await migrate(world, home, { order: 'run', program }), 'run')
    await arrives()
    if (brought < tasks) brought += await bring(world, home, numbersFrom(brought, tasks - brought))
    await untilDone(world, home, tasks)
    expect(await worker.end('SIGTERM')).toBe(0)
    const figures = await verify({ ...world, openStores: () => openStores(variablesAt(world, home)) }, tasks)
    succeeded(await migrate(world, home, { order: 'run' }), 'the last run')
    succeeded(await migrate(world, home, { order: 'verify' }), 'verify')
    await verify({ ...world, openStores: () => openStores(variablesAt(world, other(home))) }, tasks)
    return { ...log, ...figures }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(
      `seed ${drawn}, at ${home}, ${JSON.stringify(log)}: ${text}\n${worker.said.join('').slice(-20_000)}`,
      {
        cause: error,
      },
    )
  } finally {
    await worker.end('SIGKILL')
  }
}

for (const from of ['filesystem', 'postgres'] as const)
  test(`a move beside a host at work, begun in ${from}: migrators killed at random moments, every step is run and reported once`, {
    timeout: isLong ? 3_600_000 : 400_000,
  }, async () => {
    const figures = await play({ from, tasks: isLong ? 200 : 24, kills: isLong ? 30 : 5 })
    const { killed_at: killedAt, ...rest } = figures
    report(`a move beside a host, from ${from}`, { ...rest, killed_at_ms: killedAt.join(','), seed })
    expect(figures.kills).toBeGreaterThan(0)
  })

test('a move beside a host at work that drops what comes after its first pass is caught', {
  timeout: 400_000,
}, async () => {
  await using admin = await plantedAdmin('no-catch-up', /\/move\/copy\.ts$/)
  let caught = ''
  for (let n = 0; n < 4 && caught === ''; n += 1)
    await play({ from: 'filesystem', tasks: 12, kills: 0, program: admin.main, drawn: seed + n }).catch(
      (error: Error) => {
        caught = error.message
      },
    )
  report('a move beside a host, planted', { caught: caught.split('\n')[0]?.slice(0, 200) ?? '' })
  expect(caught).toMatch(/the end of all tasks|to deeply equal|to have a length|attempts of/)
})
