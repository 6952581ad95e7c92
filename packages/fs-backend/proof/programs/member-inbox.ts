import type { Claim, ClaimedTask, InboxStore, JsonValue } from '@nexus/core'
import { stamped } from './crowd-log.ts'
import type { Dice } from './dice.ts'
import type { Act, Acts } from './member-records.ts'

interface InboxActsParts {
  inbox: InboxStore
  /** As in the log. */
  name: string
  /** As in the claims. */
  worker: string
  leaseMs: number
  dice: Dice
}

/** Enough retries that only `fatal` and the crash loop make a dead letter. */
const maxAttempts = 1000
const mostHolds = 4
/** Former claims that are tried again later. */
const mostFormer = 6

const isLost = (answer: { status: string }): boolean => answer.status === 'lease-lost'

/** What a member holds, and what it held. */
const createHolds = (dice: Dice) => {
  const held: Claim[] = []
  const former: Claim[] = []
  return {
    held,
    former,
    take: (tasks: readonly ClaimedTask[]): void => void held.push(...tasks.map(({ claim }) => claim)),
    leave({ id, epoch }: Claim): void {
      const at = held.findIndex((claim) => claim.id === id && claim.epoch === epoch)
      if (at >= 0) former.push(...held.splice(at, 1))
      former.splice(0, former.length - mostFormer)
    },
    any: (): Claim | null => (held.length > 0 ? dice.pick(held) : null),
    anyFormer: (): Claim | null => (former.length > 0 ? dice.pick(former) : null),
  }
}

const claimed = (tasks: readonly ClaimedTask[]): JsonValue =>
  tasks.map(({ id, claim, project, issueNumber }) => ({ id, epoch: claim.epoch, project, issueNumber }))

/** Every verb of a holder, on a claim that it has or had. */
const createVerbs = (
  { inbox, dice }: InboxActsParts,
  leave: (claim: Claim) => void,
): Record<string, (claim: Claim) => Act> => {
  const act = (op: string, claim: Claim, extra: Record<string, JsonValue>, run: Act['run']): Act => ({
    op,
    about: { id: claim.id, epoch: claim.epoch, ...extra },
    run,
  })
  const ending = async <T extends { status: string }>(claim: Claim, call: Promise<T>): Promise<JsonValue> => {
    const { status } = await call
    leave(claim)
    return { status }
  }
  const soon = () => new Date(Date.now() + dice.below(60))
  return {
    complete: (claim) => act('complete', claim, {}, () => ending(claim, inbox.complete(claim))),
    release: (claim) => act('release', claim, {}, () => ending(claim, inbox.release(claim))),
    fail(claim) {
      const fatal = dice.below(6) === 0
      return act('fail', claim, { fatal }, () =>
        ending(claim, inbox.fail(claim, 'again', fatal ? { fatal } : { retryAt: soon() })),
      )
    },
    bind(claim) {
      const issueNumber = String(1 + dice.below(3))
      return act('bind', claim, { issueNumber }, async () => {
        const answer = await inbox.bind(claim, { issueNumber })
        if (isLost(answer)) leave(claim)
        return { status: answer.status }
      })
    },
    heartbeat: (claim) =>
      act('heartbeat', claim, {}, async () => {
        const { lost } = await inbox.heartbeat([claim])
        for (const one of lost) leave(one)
        return { status: lost.length === 0 ? 'renewed' : 'lease-lost' }
      }),
  }
}

const createTaking = ({ inbox, name, worker, leaseMs }: InboxActsParts, holds: ReturnType<typeof createHolds>) => {
  const enqueue = (n: number): Act => {
    const filename = `${name}-${n}.md`
    const task = { project: `p${n % 2}`, filename, markdown: stamped(filename), maxAttempts }
    const keyed = { ...task, project: 'keyed', idempotencyKey: filename }
    return {
      op: 'enqueue',
      about: filename,
      run: async () => (await inbox.enqueue([task, keyed, keyed])).map(({ status, id }) => ({ status, id })),
    }
  }
  const claim = (): Act | null => {
    const limit = Math.min(2, mostHolds - holds.held.length)
    if (limit < 1) return null
    const run = async () => {
      const tasks = await inbox.claim({ worker, leaseMs, limit })
      holds.take(tasks)
      return claimed(tasks)
    }
    return { op: 'claim', about: null, run }
  }
  const resume = (): Act => ({
    op: 'resume',
    about: null,
    async run() {
      const tasks = await inbox.resume({ worker, leaseMs })
      holds.take(tasks)
      return claimed(tasks)
    },
  })
  return { enqueue, claim, resume }
}

/** Random calls of a worker that holds some tasks, gives up others, and sometimes does not know that it lost one. */
export const inboxActs = (parts: InboxActsParts): Acts => {
  const { inbox, dice } = parts
  const holds = createHolds(dice)
  const verbs = createVerbs(parts, holds.leave)
  const { enqueue, claim, resume } = createTaking(parts, holds)
  const onHeld = (verb: string) => () => {
    const one = holds.any()
    return one && (verbs[verb]?.(one) ?? null)
  }
  const onFormer = () => {
    const one = holds.anyFormer()
    return one && (verbs[dice.pick(Object.keys(verbs))]?.(one) ?? null)
  }
  const sweep = (): Act => ({ op: 'sweep', about: null, run: async () => ({ ...(await inbox.sweep()) }) })
  return [
    [2, enqueue],
    [5, claim],
    [2, resume],
    [2, sweep],
    [3, onHeld('heartbeat')],
    [3, onHeld('bind')],
    [3, onHeld('complete')],
    [2, onHeld('release')],
    [2, onHeld('fail')],
    [4, onFormer],
  ]
}
