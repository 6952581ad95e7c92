import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Numbers from 0 below `sides`, the same for the same seed. */
export const createDice = (seed: number): ((sides: number) => number) => {
  let state = (seed ^ 0x5bd1e995) >>> 0
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * sides)
  }
}

/** How a run of the program ended. */
export interface MigratorEnd {
  status: number | null
  stdout: string
  stderr: string
  /** It was still at work when it was killed. */
  wasKilled: boolean
  /** The most memory it had, in MiB, as the kernel counts it. */
  peakMiB: number
}

const peakOf = (pid: number): number => {
  try {
    const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kilobytes) / 1024
  } catch {
    return 0
  }
}

export interface MigratorOptions {
  env: Readonly<Record<string, string>>
  /** SIGKILL so long after its start, in milliseconds, unless it ends before. */
  killAfterMs?: number
  /** Another program in place of the built one. */
  program?: string | undefined
}

/** Runs the real nexus-admin to its end, or kills it on the way. */
export const runMigrator = async (
  args: readonly string[],
  { env, killAfterMs, program = main }: MigratorOptions,
): Promise<MigratorEnd> => {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let peakMiB = 0
  const watch = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid ?? 0))
  }, 50)
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  const gone = once(child, 'close')
  try {
    if (killAfterMs !== undefined) {
      const waiting = new AbortController()
      await Promise.race([delay(killAfterMs, undefined, { signal: waiting.signal }).catch(() => undefined), gone])
      waiting.abort()
      child.kill('SIGKILL')
    }
    await gone
  } finally {
    clearInterval(watch)
  }
  const [stdout, stderr] = await said
  return { status: child.exitCode, stdout, stderr, wasKilled: child.signalCode === 'SIGKILL', peakMiB }
}
