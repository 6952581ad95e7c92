import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { type Binaries, serverEnv } from './binaries.ts'
import { commandOf } from './process-identity.ts'

/**
 * A shell stands between us and the server. It reads a pipe that only we hold: a line means stop; the end of the pipe
 * means that we died without a word, so the server is stopped and a private folder removed. Such a folder has no power cut
 * to survive, so it is not synced: databases come and go several times as fast.
 */
const script = `
exec 3<&0
"$1" -D "$2" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 \${4:+-c fsync=off} </dev/null &
server=$!
( if read -r line <&3; then kill -INT $server; exit 0; else kill -INT $server; exit 3; fi ) &
watch=$!
wait $server
code=$?
kill $watch 2>/dev/null
wait $watch
if [ $? = 3 ] && [ -n "$4" ]; then cd /; rm -rf "$4"; fi
exit $code
`

export interface Server {
  readonly pid: number
  /** Ends connections and stops in good order. */
  stop(): Promise<void>
  /** SIGKILL to the postmaster; the next start recovers from the log. */
  kill(): Promise<void>
}

export interface ServerPlace {
  folder: string
  port: number
  isPrivate: boolean
}

const dataOf = (folder: string): string => join(folder, 'data')

const freePort = async (wanted = 0): Promise<number> => {
  const listener = createServer()
  try {
    listener.listen(wanted, '127.0.0.1')
    await once(listener, 'listening')
    const address = listener.address()
    if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
    return address.port
  } catch (error) {
    if (wanted === 0) throw error
    return freePort()
  } finally {
    listener.close()
  }
}

/** Another process can take the free port before the server does. */
export const startOnFreePort = async <T>(
  start: (port: number) => Promise<T>,
  wanted?: number,
): Promise<{ started: T; port: number }> => {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(attempt === 1 ? wanted : undefined)
    try {
      return { started: await start(port), port }
    } catch (error) {
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error
    }
  }
}

const postmasterPid = async (folder: string): Promise<number> => {
  const text = await readFile(join(dataOf(folder), 'postmaster.pid'), 'utf8').catch(() => '')
  return Number.parseInt(text, 10) || 0
}

const runsHere = async (pid: number, folder: string): Promise<boolean> =>
  pid > 0 && (await commandOf(pid)).includes(dataOf(folder))

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It may have ended on its own since we looked.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Stops a server that its owner left behind, and removes the lock of one that is gone. */
export const stopLeftover = async (folder: string): Promise<void> => {
  const pid = await postmasterPid(folder)
  for (let waited = 0; await runsHere(pid, folder); waited += 50) {
    if (waited % 1000 === 0) signal(pid, waited < 10_000 ? 'SIGINT' : 'SIGKILL')
    await delay(50)
  }
  // PostgreSQL takes any live process with that id for the former server, so a lock from before a reboot would refuse the start.
  await rm(join(dataOf(folder), 'postmaster.pid'), { force: true })
}

const ready = (shell: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    const log: string[] = []
    if (!shell.stderr) return reject(new Error('The server has no log.'))
    createInterface(shell.stderr).on('line', (line) => {
      log.push(line)
      if (log.length > 50) log.shift()
      if (/ready to accept (read-only )?connections/.test(line)) resolve()
    })
    shell.once('error', reject)
    shell.once('close', (code) => reject(new Error(`PostgreSQL ended with code ${code}:\n${log.join('\n')}`)))
  })

export const startServer = async (
  { postgres, account }: Binaries,
  { folder, port, isPrivate }: ServerPlace,
): Promise<Server> => {
  // detached: Ctrl-C in the terminal reaches us, not the database, so that it can be stopped last.
  const shell = spawn(
    '/bin/sh',
    ['-c', script, 'nexus-postgres', postgres, dataOf(folder), String(port), isPrivate ? folder : ''],
    { ...account, env: serverEnv(), cwd: folder, detached: true, stdio: ['pipe', 'ignore', 'pipe'] },
  )
  const ended = new Promise<void>((resolve) => shell.once('close', () => resolve()))
  await ready(shell)
  shell.stdin.on('error', () => {})
  const pid = await postmasterPid(folder)
  return {
    pid,
    async stop() {
      shell.stdin.write('stop\n')
      await ended
    },
    async kill() {
      if (await runsHere(pid, folder)) signal(pid, 'SIGKILL')
      await ended
    },
  }
}
