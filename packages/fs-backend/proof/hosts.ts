import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Host } from './crowd.ts'

const hostname = 'nexus-other-host'

/** Lives as long as its input is open; all processes of the host end with it. */
const init = `hostname ${hostname} && hostname && read -r _`

/** A host beside this one: a name and process ids of its own, where the ids of this one mean something else. */
export const startHost = async (): Promise<Host & AsyncDisposable> => {
  const args = ['--uts', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', init]
  const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const said = await Promise.race([once(child.stdout, 'data'), ended])
  if (String(said[0]).trim() !== hostname)
    throw new Error('This proof makes a second host, which needs root and unshare.')
  const [pid = ''] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ')
  return {
    command: ['nsenter', '--target', pid, '--uts', '--pid', '--mount'],
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
    },
  }
}
