import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { type Account, giveAway, serverEnv, unprivilegedAccount } from './binaries.ts'
import { letGo, prepareFolder } from './folder.ts'
import { startOnFreePort } from './server.ts'

export interface PoolerOptions {
  /** The server behind it, with a user that may connect to every database. */
  dsn: string
  /** Further lines of its configuration. */
  settings?: Readonly<Record<string, string | number>>
}

/** A PgBouncer of our own in transaction mode, on the loopback address. It ends with the process that started it. */
export interface Pooler extends AsyncDisposable {
  readonly port: number
  /** The same database by way of the pooler. */
  through(dsn: string): string
  /** From the next transaction on, it works with that server. */
  pointTo(dsn: string): Promise<void>
  /** A command of its console, such as `SHOW POOLS`. */
  command(text: string): Promise<Record<string, unknown>[]>
  /** How many connections it took from clients, and how many it made to the server, since it started. */
  connections(): { fromClients: number; toServer: number }
}

/** As for the server: a line in the pipe means stop, its end that we died without a word. */
const script = `
exec 3<&0
pgbouncer "$1" </dev/null &
pooler=$!
( if read -r line <&3; then kill -TERM $pooler; exit 0; else kill -TERM $pooler; exit 3; fi ) &
watch=$!
wait $pooler
code=$?
kill $watch 2>/dev/null
wait $watch
if [ $? = 3 ]; then cd /; rm -rf "$2"; fi
exit $code
`

const configuration = (port: number, { dsn, settings = {} }: PoolerOptions): string => {
  const { hostname, port: serverPort, username, password } = new URL(dsn)
  const target = `host=${hostname} port=${serverPort} user=${decodeURIComponent(username)} password='${decodeURIComponent(password)}'`
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    admin_users: 'pgbouncer',
    pool_mode: 'transaction',
    max_client_conn: 1000,
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  return ['[databases]', `* = ${target}`, '[pgbouncer]', ...lines, ''].join('\n')
}

const console = async (port: number, text: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'pgbouncer', database: 'pgbouncer' })
  client.on('error', () => {})
  await client.connect()
  try {
    // It knows only the simple protocol, which is what the driver uses without values.
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

const watchLog = (shell: ChildProcess) => {
  const log: string[] = []
  const count = { fromClients: 0, toServer: 0 }
  const ready = new Promise<void>((resolve, reject) => {
    if (!shell.stderr) return reject(new Error('PgBouncer has no log.'))
    createInterface(shell.stderr).on('line', (line) => {
      log.push(line)
      if (log.length > 50) log.shift()
      if (line.includes('process up')) resolve()
      if (line.includes('login attempt')) count.fromClients += 1
      if (line.includes('new connection to server')) count.toServer += 1
    })
    shell.once('error', reject)
    shell.once('close', (code) =>
      reject(
        new Error(
          code === 127
            ? 'PgBouncer is not installed: apt-get install pgbouncer.'
            : `PgBouncer ended with code ${code}:\n${log.join('\n')}`,
        ),
      ),
    )
  })
  return { ready, count }
}

const launch = async (ini: string, folder: string, account: Account) => {
  const env = { ...serverEnv(), PATH: `${serverEnv()['PATH']}:/usr/sbin` }
  const shell = spawn('/bin/sh', ['-c', script, 'nexus-pooler', ini, folder], {
    ...account,
    env,
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()))
  const { ready, count } = watchLog(shell)
  await ready
  shell.stdin.on('error', () => {})
  return {
    count,
    async stop(): Promise<void> {
      shell.stdin.write('stop\n')
      await ended
    },
  }
}

export const startPooler = async (options: PoolerOptions): Promise<Pooler> => {
  const account = await unprivilegedAccount()
  const folder = await prepareFolder(undefined, account)
  const ini = join(folder, 'pgbouncer.ini')
  const configure = async (port: number, dsn: string): Promise<void> => {
    await writeFile(ini, configuration(port, { ...options, dsn }), { mode: 0o600 })
  }
  try {
    await chmod(folder, 0o700)
    const { started, port } = await startOnFreePort(async (free) => {
      await configure(free, options.dsn)
      await giveAway(folder, account)
      return launch(ini, folder, account)
    })
    const command = (text: string) => console(port, text)
    return {
      port,
      through(dsn) {
        const url = new URL(dsn)
        url.host = `127.0.0.1:${port}`
        url.password = ''
        return url.href
      },
      async pointTo(dsn) {
        await configure(port, dsn)
        await command('RELOAD')
      },
      command,
      connections: () => ({ ...started.count }),
      async [Symbol.asyncDispose]() {
        await started.stop()
        await letGo(folder, true)
      },
    }
  } catch (error) {
    await letGo(folder, true)
    throw error
  }
}
