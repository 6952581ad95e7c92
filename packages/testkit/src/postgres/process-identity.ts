import { execFile } from 'node:child_process'
import { readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const ps = async (pid: number, column: string): Promise<string> =>
  run('ps', ['-o', `${column}=`, '-p', String(pid)]).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )

const startTime = async (pid: number): Promise<string> => {
  if (process.platform !== 'linux') return ps(pid, 'lstart')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command's name may hold spaces and brackets, so fields are counted after the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? '' : (fields[19] ?? '')
}

/** Process ids mean nothing in another container or after another boot. */
const pidSpace = async (): Promise<string> => {
  if (process.platform !== 'linux') return ''
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
  return `${boot.trim()}/${await readlink('/proc/self/ns/pid')}`
}

/** Names one run of one process, so that a process id that was given out again is not mistaken for it. */
export interface ProcessIdentity {
  pid: number
  started: string
  space: string
}

export const thisProcess = async (): Promise<ProcessIdentity> => ({
  pid: process.pid,
  started: await startTime(process.pid),
  space: await pidSpace(),
})

/** `unknown` where this process cannot see it: another container, or another machine on a shared folder. */
export const liveness = async ({ pid, started, space }: ProcessIdentity): Promise<'alive' | 'dead' | 'unknown'> => {
  const [boot = '', namespace = ''] = space.split('/')
  const [bootHere = '', namespaceHere = ''] = (await pidSpace()).split('/')
  if (boot !== bootHere) return 'dead'
  if (namespace !== namespaceHere) return 'unknown'
  return (await startTime(pid)) === started ? 'alive' : 'dead'
}

/** The command line of a live process, or the empty string. */
export const commandOf = async (pid: number): Promise<string> =>
  process.platform === 'linux'
    ? (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')
    : ps(pid, 'command')
