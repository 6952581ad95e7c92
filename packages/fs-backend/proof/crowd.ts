import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freshRoot } from '../test/harness.ts'
import { type CrowdRecord, type MemberLog, type Said, sharedNow } from './programs/crowd-log.ts'
import { createDice } from './programs/dice.ts'

/** A machine to start processes on: the words before the command. */
export interface Host {
  command: readonly string[]
}

export const thisHost: Host = { command: [] }

export interface CrowdPlan {
  programs: string
  hosts: readonly Host[]
  /** Processes at any time. */
  size: number
  /** How many acknowledgements to wait for between one kill -9 and the next. */
  acksPerKill: number
  kills: number
  /** Every so many kills one more process is stopped for twice its lease. */
  stopEvery: number
  seed: number
}

interface Member {
  log: MemberLog
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  ended: Promise<unknown>
}

const leaseMs = 400

type Hear = (said: Said) => void

/** In a process group of its own, which signals go to: a member of another host has others in front of it. */
const startMember = (plan: CrowdPlan, root: string, index: number, hear: Hear): Member => {
  const host = plan.hosts[index % plan.hosts.length] ?? thisHost
  const log: MemberLog = { name: `m${index}`, killedAt: null, said: [] }
  const program = [process.execPath, join(plan.programs, 'member.mjs'), root, log.name, String(plan.seed + index)]
  const [command = '', ...args] = [...host.command, ...program, String(leaseMs)]
  const child: ChildProcess = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  if (!child.stdout || !child.stdin) throw new Error('The member has no pipes.')
  child.stdin.on('error', () => undefined)
  const output = createInterface(child.stdout)
  output.on('line', (line) => {
    const said = JSON.parse(line) as Said
    log.said.push(said)
    hear(said)
  })
  return {
    log,
    signal: (name) => void (child.exitCode === null && child.pid && process.kill(-child.pid, name)),
    ended: Promise.all([once(child, 'exit'), once(output, 'close')]),
  }
}

/** Counts acknowledgements, and wakes who waits for so many. */
const createMeter = () => {
  let acks = 0
  let waiting: { for: number; go(): void; stop(error: Error): void } | null = null
  return {
    hear({ kind }: Said): void {
      if (kind === 'ack') acks += 1
      if (waiting && acks >= waiting.for) waiting.go()
    },
    more: (count: number): Promise<void> =>
      new Promise((go, stop) => {
        waiting = { for: acks + count, go, stop }
      }),
    /** A member that ends by itself is no member: nobody waits for it. */
    stop: (words: string): void => waiting?.stop(new Error(words)),
  }
}

const kill = async (member: Member): Promise<void> => {
  member.log.killedAt = sharedNow()
  member.signal('SIGKILL')
  await member.ended
}

const nap = async (member: Member): Promise<void> => {
  member.signal('SIGSTOP')
  await setTimeout(2 * leaseMs)
  member.signal('SIGCONT')
}

/** Lets processes work on one root, kills, replaces and stops some; in the end kills all of them. */
const runCrowd = async (plan: CrowdPlan, root: string): Promise<CrowdRecord> => {
  const dice = createDice(plan.seed)
  const meter = createMeter()
  const all: Member[] = []
  const start = (): Member => {
    const member = startMember(plan, root, all.length, meter.hear)
    all.push(member)
    member.ended.then(() => member.log.killedAt ?? meter.stop(`${member.log.name} ended by itself.`), meter.stop)
    return member
  }
  const live = Array.from({ length: plan.size }, start)
  const naps: Promise<void>[] = []
  try {
    for (let kills = 0; kills < plan.kills; kills += 1) {
      await meter.more(plan.acksPerKill)
      // The first is the one that sleeps; it is never killed, so that it wakes up and goes on.
      if (kills % plan.stopEvery === 0 && live[0]) naps.push(nap(live[0]))
      const at = 1 + dice.below(live.length - 1)
      const [victim] = live.splice(at, 1, start())
      if (victim) await kill(victim)
    }
    await Promise.all(naps)
    await meter.more(plan.acksPerKill)
  } finally {
    await Promise.all(live.map(kill))
  }
  return { root, leaseMs, members: all.map(({ log }) => log) }
}

/** What the verifier must say of a crowd. */
export const clean = { lost: 0, dup: 0, torn: 0, order: 0, accepted: 0, stolen: 0, errors: 0 }

export interface Judged {
  figures: typeof clean & Record<'acked' | 'stale' | 'refused' | 'overtaken' | 'resumed', number>
  faults: string
}

/** A crowd on a fresh root, and what a new process makes of what it left. */
export const judgeCrowd = async (plan: CrowdPlan): Promise<Judged> => {
  const root = await freshRoot()
  try {
    const record = await runCrowd(plan, root)
    const path = join(plan.programs, `crowd-${plan.seed}.json`)
    await writeFile(path, JSON.stringify(record))
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(plan.programs, 'crowd-verifier.mjs'), path],
      { maxBuffer: 64 * 1024 * 1024 },
    )
    const figures = {
      processes: record.members.length,
      kills: plan.kills,
      stopped: Math.ceil(plan.kills / plan.stopEvery),
      ...JSON.parse(stdout),
    }
    return { figures, faults: stderr }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
