import type { Cluster } from '@nexus/testkit/postgres'
import { until } from '../test/until.ts'
import { beyondLeaseMs, type Fleet, type Member, type Note } from './fleet.ts'

export interface StormPlan {
  /** Tasks that the fleet has to work off. */
  tasks: number
  kills: number
  /** After every so many kills the host stays away until others have its tasks. */
  awayEvery: number
  freezes: number
  /** Of the database, where there is one. */
  restarts: number
  cluster: Cluster | null
  seed: number
}

/** When what ran below a root stood still, or was ended with its machine. Wall clock, milliseconds. */
export interface Still {
  root: string
  from: number
  /** By then all of it did. */
  by: number
  /** Infinity: it was ended. */
  until: number
}

export interface StormLog {
  kills: number
  absences: number
  crashes: number
  freezes: number
  restarts: number
  still: readonly Still[]
}

type Blow = 'kill' | 'absence' | 'crash' | 'freeze' | 'restart'

/** Numbers from 0 below `sides`, the same for the same seed. */
const createDice = (seed: number): ((sides: number) => number) => {
  let state = (seed ^ 0x5bd1e995) >>> 0
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * sides)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Every fifth kill ends its whole machine. */
const blowsOf = (
  { kills, awayEvery, freezes, restarts, cluster }: StormPlan,
  dice: (sides: number) => number,
): Blow[] => {
  const blows: Blow[] = Array.from({ length: kills }, (_, n) =>
    n % awayEvery === awayEvery - 1 ? 'absence' : n % 5 === 1 ? 'crash' : 'kill',
  )
  const others: Blow[] = [
    ...Array<Blow>(freezes).fill('freeze'),
    ...Array<Blow>(cluster === null ? 0 : restarts).fill('restart'),
  ]
  // Neither at the very beginning nor at the very end, when little is at work.
  for (const blow of others) blows.splice(2 + dice(Math.max(blows.length - 3, 1)), 0, blow)
  return blows
}

const isAtWork = (member: Member, notes: readonly Note[]): boolean => {
  const ended = new Set(notes.filter(({ word }) => word === 'END').map(({ attempt }) => attempt))
  const since = Date.now() - 6_000
  return notes.some(
    ({ word, kind, attempt, at, file }) =>
      word === 'START' && kind === 'slow' && at > since && !ended.has(attempt) && file.startsWith(`${member.root}/`),
  )
}

/** Deals blows to the fleet, one after so many agents' starts, until all of them are dealt; then lets it work. */
export const storm = async (fleet: Fleet, plan: StormPlan): Promise<StormLog> => {
  const dice = createDice(plan.seed)
  const log = { kills: 0, absences: 0, crashes: 0, freezes: 0, restarts: 0, still: [] as Still[] }
  const away = new Set<Member>()
  const returns: Promise<void>[] = []

  const pick = async (blow: Blow): Promise<Member> => {
    const present = await until('a host that is up', () => {
      const up = fleet.members.filter((member) => !away.has(member) && member.isUp())
      return up.length > 0 ? up : null
    })
    const notes = fleet.notes()
    const busy = blow === 'kill' ? [] : present.filter((member) => isAtWork(member, notes))
    const machines = blow === 'crash' ? present.filter(({ isMachine }) => isMachine) : []
    const from = machines.length > 0 ? machines : busy.length > 0 ? busy : present
    return from[dice(from.length)] ?? (present[0] as Member)
  }

  /** The host is away for so long, and nobody waits for it meanwhile. */
  const comesBack = (member: Member, ms: number, back: () => Promise<void>): void => {
    away.add(member)
    returns.push(
      pause(ms)
        .then(back)
        .finally(() => away.delete(member)),
    )
  }

  const blows: Record<Blow, () => Promise<void>> = {
    async kill() {
      const member = await pick('kill')
      log.kills += 1
      await member.kill()
      comesBack(member, dice(300), () => member.start())
    },
    async absence() {
      const member = await pick('absence')
      log.kills += 1
      log.absences += 1
      await member.kill()
      comesBack(member, beyondLeaseMs, () => member.start())
    },
    async crash() {
      const member = await pick('crash')
      if (!member.isMachine) return blows.kill()
      log.kills += 1
      log.crashes += 1
      const from = Date.now()
      await member.crash()
      log.still.push({ root: member.root, from, by: Date.now(), until: Number.POSITIVE_INFINITY })
      comesBack(member, dice(2) * beyondLeaseMs, () => member.start())
    },
    async freeze() {
      const member = await pick('freeze')
      const whole = member.isMachine && dice(2) === 0
      log.freezes += 1
      const from = Date.now()
      await member.freeze(whole)
      const by = Date.now()
      comesBack(member, beyondLeaseMs, async () => {
        if (whole) log.still.push({ root: member.root, from, by, until: Date.now() })
        await member.thaw(whole)
      })
    },
    async restart() {
      log.restarts += 1
      await (log.restarts % 2 === 1 ? plan.cluster?.restart() : plan.cluster?.kill().then(() => plan.cluster?.start()))
    },
  }

  const all = blowsOf(plan, dice)
  for (const [index, blow] of all.entries()) {
    // Each task has three steps at least, or three failures.
    const due = Math.floor((plan.tasks * 3 * (index + 1)) / (all.length + 1))
    await until(
      `${due} agents started`,
      () => fleet.notes().filter(({ word }) => word === 'START').length >= due,
      120_000,
    )
    await pause(dice(250))
    await blows[blow]()
  }
  await Promise.all(returns)
  return log
}
