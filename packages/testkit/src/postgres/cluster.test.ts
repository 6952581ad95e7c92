import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cluster, freshDatabase, startCluster } from './cluster.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = join(root, 'node_modules/.cache/programs')

const query = async (dsn: string, text: string): Promise<unknown[]> => {
  const client = new pg.Client({ connectionString: dsn })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const bundle = async (): Promise<void> => {
  const entry = { cluster: fileURLToPath(new URL('cluster.ts', import.meta.url)) }
  const output = { outDir: programs, format: 'esm', target: 'node20' } as const
  await build({ entry, ...output, skipNodeModulesBundle: true, removeNodeProtocol: false, config: false, silent: true })
}

/** A process that owns a cluster and says where it is. */
const startOwner = async (dataDir?: string) => {
  const options = JSON.stringify(dataDir === undefined ? {} : { dataDir })
  const code = `import { startCluster } from ${JSON.stringify(join(programs, 'cluster.js'))}
    const { dsn, pid, folder } = await startCluster(${options})
    process.stdout.write(JSON.stringify({ dsn, pid, folder }) + '\\n')
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(owner, 'exit').then(([code]) => Promise.reject(new Error(`The owner ended with ${code}.`)))
  const [line] = await Promise.race([once(createInterface(owner.stdout), 'line'), ended])
  ended.catch(() => {})
  return { owner, ...(JSON.parse(line) as Pick<Cluster, 'dsn' | 'pid' | 'folder'>) }
}

/** Resolves when the server ends this connection. */
const watch = async (dsn: string): Promise<{ ended: Promise<void> }> => {
  const client = new pg.Client({ connectionString: dsn })
  client.on('error', () => {})
  await client.connect()
  return { ended: new Promise((resolve) => client.once('end', resolve)) }
}

beforeAll(bundle)

/** A start elsewhere on this machine sweeps too: what is looked at here lies where nobody else looks. */
const ownTempFolder = (): void => {
  const usual = process.env['TMPDIR']
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus-own-'))
    await chmod(folder, 0o1777)
    process.env['TMPDIR'] = folder
  })
  afterAll(async () => {
    if (usual === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = usual
    await rm(folder, { recursive: true, force: true })
  })
}

describe('a private cluster', () => {
  ownTempFolder()

  test('serves, and leaves nothing behind', async () => {
    const cluster = await startCluster()
    expect(await query(cluster.dsn, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
    await cluster[Symbol.asyncDispose]()

    await expect(query(cluster.dsn, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await readdir(tmpdir())).not.toContain(cluster.folder.split('/').at(-1))
  })

  test('keeps its data and its address through kill, stop and start', async () => {
    await using cluster = await startCluster()
    await query(cluster.dsn, 'CREATE TABLE kept AS SELECT 7 AS n')
    const former = cluster.pid
    await cluster.kill()
    await expect(query(cluster.dsn, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await cluster.start()
    expect(cluster.pid).not.toBe(former)
    expect(await query(cluster.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    await cluster.restart()
    expect(await query(cluster.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
  })

  test('ends with its owner, also when that is killed', async () => {
    const { owner, dsn, folder } = await startOwner()
    const connection = await watch(dsn)
    owner.kill('SIGKILL')
    await connection.ended
    await startCluster().then((next) => next[Symbol.asyncDispose]())
    await expect.poll(() => readdir(tmpdir()), { timeout: 20_000 }).not.toContain(folder.split('/').at(-1))
  })

  test('is swept by the next start when the watching shell was killed too', async () => {
    const { owner, dsn, pid, folder } = await startOwner()
    const shell = Number((await run('ps', ['-o', 'ppid=', '-p', String(pid)])).stdout)
    const watchers = (await run('ps', ['-o', 'pid=', '--ppid', String(shell)])).stdout.split('\n').map(Number)
    const victims = [shell, ...watchers.filter((id) => id > 0 && id !== pid)]
    // All of them stand still first: none may act on the end of another.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const victim of victims) process.kill(victim, signal)
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    expect(await query(dsn, 'SELECT 1 AS one')).toEqual([{ one: 1 }])

    await startCluster().then((next) => next[Symbol.asyncDispose]())
    await expect(query(dsn, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect.poll(() => readdir(tmpdir()), { timeout: 20_000 }).not.toContain(folder.split('/').at(-1))
  })
})

describe('a cluster with a data folder', () => {
  test('keeps data, password and port from run to run', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nexus-lasting-'))
    await chmod(dataDir, 0o755)
    const first = await startCluster({ dataDir })
    await query(first.dsn, 'CREATE TABLE kept AS SELECT 7 AS n')
    await first[Symbol.asyncDispose]()
    {
      await using second = await startCluster({ dataDir, port: first.port })
      expect(second.dsn).toBe(first.dsn)
      expect(await query(second.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
      await expect(startCluster({ dataDir })).rejects.toThrow(`in use by process ${process.pid}`)
      expect(await query(second.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    }
    await rm(dataDir, { recursive: true })
  })

  test('starts after its owner was killed, and takes another port when the wanted one is taken', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'nexus-lasting-'))
    await chmod(dataDir, 0o755)
    await using other = await startCluster()
    const { owner, dsn } = await startOwner(dataDir)
    await query(dsn, 'CREATE TABLE kept AS SELECT 7 AS n')
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    {
      await using next = await startCluster({ dataDir, port: other.port })
      expect(next.port).not.toBe(other.port)
      expect(await query(next.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    }
    await rm(dataDir, { recursive: true })
  })

  test('works below a folder that nobody else can enter', async () => {
    const home = await mkdtemp(join(tmpdir(), 'nexus-home-'))
    const dataDir = join(home, 'clone', '.demo')
    await mkdir(dataDir, { recursive: true })
    const first = await startCluster({ dataDir })
    await query(first.dsn, 'CREATE TABLE kept AS SELECT 7 AS n')
    await first[Symbol.asyncDispose]()
    {
      await using second = await startCluster({ dataDir })
      expect(second.folder).toBe(first.folder)
      expect(await query(second.dsn, 'SELECT n FROM kept')).toEqual([{ n: 7 }])
    }
    await rm(first.folder, { recursive: true })
    await rm(home, { recursive: true, force: true })
  })
})

test('a fresh database is empty, and gone after dispose', async () => {
  await using cluster = await startCluster()
  const database = await freshDatabase(cluster.dsn)
  expect(await query(database.dsn, `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual(
    [],
  )
  await database[Symbol.asyncDispose]()
  await expect(query(database.dsn, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' })
})
