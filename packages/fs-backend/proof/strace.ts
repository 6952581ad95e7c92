import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The system calls of the write paths. A call has several names; the other machine's is ignored. */
export const calls = {
  openat: 'openat',
  write: 'pwrite64',
  fsync: 'fsync',
  rename: '?rename,?renameat,?renameat2',
  link: '?link,?linkat',
  unlink: '?unlink,?unlinkat,?rmdir',
  mkdir: '?mkdir,?mkdirat',
} as const
export type Call = keyof typeof calls

export interface Tracer {
  /** Lets the process go on untraced. */
  detach(): Promise<void>
  /** How often the fault was put in. */
  fired(): Promise<number>
  /** Files, by path, that were synced once more after their fsync had failed. */
  syncedAgain(): Promise<string[]>
  /** How often the busiest thread made each call. */
  counts(): Promise<Map<Call, number>>
}

const namesOf = (call: Call): string[] => calls[call].split(',').map((name) => name.replace('?', ''))

const countsIn = (text: string): Map<Call, number> => {
  const perThread = new Map<string, number>()
  for (const [, thread = '', name = ''] of text.matchAll(/^(\d+) +(\w+)\(/gm))
    perThread.set(`${thread} ${name}`, (perThread.get(`${thread} ${name}`) ?? 0) + 1)
  const busiest = (names: readonly string[]): number =>
    Math.max(0, ...[...perThread].filter(([key]) => names.includes(key.split(' ')[1] ?? '')).map(([, n]) => n))
  return new Map((Object.keys(calls) as Call[]).map((call) => [call, busiest(namesOf(call))]))
}

/** A folder is synced again for the sake of other files. */
const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory()

const syncedAgainIn = (text: string): string[] => {
  const failed = new Set<string>()
  const again: string[] = []
  for (const [, path = '', rest = ''] of text.matchAll(/fsync\(\d+<([^>]*)>(.*)$/gm)) {
    if (failed.has(path) && !isFolder(path)) again.push(path)
    if (rest.includes('(INJECTED)')) failed.add(path)
  }
  return again
}

/** Traces a running process from here on, so that `when` counts nothing of its start. */
export const trace = async (pid: number, inject?: { call: Call; fault: string }): Promise<Tracer> => {
  const log = join(tmpdir(), `nexus-strace-${pid}-${process.hrtime.bigint()}`)
  const traced = inject ? calls[inject.call] : Object.values(calls).join(',')
  const faults = inject ? ['-e', `inject=${calls[inject.call]}:${inject.fault}`] : []
  const child = spawn(
    'strace',
    ['-f', '-o', log, '-p', String(pid), '-e', `trace=${traced}`, '-s', '0', '-y', ...faults],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = once(child, 'exit')
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (/attached/.test(said)) resolve()
    })
    child.once('error', reject)
    ended.then(() => reject(new Error(`strace cannot trace the writer: ${said}`)), reject)
  })
  const whole = async (): Promise<string> => {
    child.kill('SIGINT')
    await ended
    return readFile(log, 'utf8')
  }
  let text: Promise<string> | null = null
  const read = async (): Promise<string> => {
    text ??= whole().finally(() => rm(log, { force: true }))
    return text
  }
  return {
    detach: async () => void (await read()),
    fired: async () => (await read()).split('(INJECTED)').length - 1,
    syncedAgain: async () => syncedAgainIn(await read()),
    counts: async () => countsIn(await read()),
  }
}
