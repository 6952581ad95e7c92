import type { InboxTask } from '@nexus/core'
import { type Call, type CrowdRecord, callsOf, grouped, stampIn } from './crowd-log.ts'
import type { Tally } from './crowd-tally.ts'

interface Hold {
  id: string
  epoch: number
  by: string
  /** When its holder asked, and when it was told. */
  start: number
  at: number
  isResumed: boolean
  project: string
  issueNumber: string | null
}

interface Verb extends Call {
  about: { id: string; epoch: number; issueNumber?: string }
  answer: { status: string }
}

const verbs = ['complete', 'fail', 'release', 'bind', 'heartbeat']
const ends = ['complete', 'fail', 'release']

const keyOf = ({ id, epoch }: { id: string; epoch: number }): string => `${id}.${epoch}`

const holdsIn = (calls: readonly Call[]): Hold[] =>
  calls.flatMap(({ op, by, start, end, answer }) =>
    (op === 'claim' || op === 'resume') && answer
      ? (answer as unknown as Hold[]).map((hold) => ({ ...hold, by, start, at: end, isResumed: op === 'resume' }))
      : [],
  )

const isAccepted = ({ answer }: Verb): boolean => answer.status !== 'lease-lost'

const earliest = (times: readonly number[]): number => Math.min(Number.POSITIVE_INFINITY, ...times)

/** Whoever lost or ended its hold before it called must be refused, all of them and always. [C-INBOX-7] */
const judgeFence = (holds: readonly Hold[], called: readonly Verb[], tally: Tally): void => {
  const byTask = grouped(holds, ({ id }) => id)
  for (const [key, own] of grouped(called, ({ about }) => keyOf(about))) {
    const over = own.filter((verb) => !isAccepted(verb) || ends.includes(verb.op))
    const done = own.filter((verb) => isAccepted(verb) && verb.op === 'complete')
    if (over.length > 0 && !over.some(isAccepted)) tally.count('overtaken')
    for (const verb of own) {
      const newer = earliest((byTask.get(verb.about.id) ?? []).flatMap((h) => (h.epoch > verb.about.epoch ? h.at : [])))
      const isRepeated = verb.op === 'complete' && earliest(done.map(({ end }) => end)) <= verb.start
      const isStale = newer <= verb.start || (!isRepeated && earliest(over.map(({ end }) => end)) <= verb.start)
      if (!isStale) continue
      tally.count('stale')
      if (isAccepted(verb)) tally.fault('accepted', `${verb.op} of ${key} by ${verb.by} was ${verb.answer.status}`)
      else tally.count('refused')
    }
  }
}

const judgeHolders = (holds: readonly Hold[], { members }: CrowdRecord, tally: Tally): void => {
  const killed = new Map(members.map(({ name, killedAt }) => [name, killedAt ?? Number.POSITIVE_INFINITY]))
  const byKey = grouped(holds, keyOf)
  for (const [key, own] of byKey)
    if (own.length > 1) tally.fault('dup', `${key} is held by ${own.map(({ by }) => by).join()}`)
  for (const hold of holds.filter(({ isResumed }) => isResumed)) {
    tally.count('resumed')
    const [former] = byKey.get(keyOf({ id: hold.id, epoch: hold.epoch - 1 })) ?? []
    if (former && (killed.get(former.by) ?? 0) > hold.at)
      tally.fault('stolen', `${hold.by} took ${hold.id} from ${former.by}, which lives`)
  }
}

interface Bound {
  key: string
  issue: string
  start: number
  end: number
  /** Until when the hold surely lived, and its holder had not called for another number. */
  until: number
}

const boundBy = (hold: Hold, own: readonly Verb[]): Bound[] => {
  const done = earliest(own.filter(isAccepted).flatMap(({ op, end }) => (op === 'complete' ? end : [])))
  const lived = Math.max(
    hold.at,
    ...own.filter((verb) => isAccepted(verb) && verb.start < done).map(({ start }) => start),
  )
  const binds = own.filter(({ op }) => op === 'bind')
  const bound = binds.flatMap(({ about, answer, start, end }) =>
    answer.status === 'bound' ? { issueNumber: about.issueNumber ?? null, start, end } : [],
  )
  if (hold.isResumed) bound.push({ issueNumber: hold.issueNumber, start: hold.start, end: hold.at })
  return bound
    .filter(({ issueNumber }) => issueNumber !== null)
    .map(({ issueNumber, start, end }) => ({
      key: keyOf(hold),
      issue: `${hold.project}#${issueNumber}`,
      start,
      end,
      until: Math.min(lived, earliest(binds.flatMap((bind) => (bind.start > start ? bind.start : [])))),
    }))
}

/** Of one issue one task runs: nobody is bound to it while another is, and lives on. [C-INBOX-13] */
const judgeIssues = (holds: readonly Hold[], called: readonly Verb[], tally: Tally): void => {
  const byKey = grouped(called, ({ about }) => keyOf(about))
  const bound = holds.flatMap((hold) => boundBy(hold, byKey.get(keyOf(hold)) ?? []))
  tally.count('bound', bound.length)
  for (const [issue, all] of grouped(bound, (one) => one.issue))
    for (const a of all)
      for (const b of all)
        if (a.key !== b.key && a.end < b.start && b.end < a.until)
          tally.fault('dup', `${issue} runs as ${a.key} and as ${b.key}`)
}

/** Every acknowledged task is there once, ended once, and is what its holder was told. */
const judgeEnds = (
  calls: readonly Call[],
  called: readonly Verb[],
  tasks: readonly InboxTask[],
  tally: Tally,
): void => {
  const tried = new Set(calls.flatMap(({ op, about }) => (op === 'enqueue' ? String(about) : [])))
  const listed = grouped(tasks, ({ id }) => id)
  for (const [name, twins] of grouped(tasks, ({ project, filename }) => `${project}/${filename}`))
    if (twins.length > 1) tally.fault('dup', `${name} is there ${twins.length} times`)
  for (const { filename, markdown, status, id } of tasks) {
    if (!tried.has(filename) || stampIn(markdown) !== filename) tally.fault('torn', `${filename} reads otherwise`)
    if (status !== 'done' && status !== 'failed') tally.fault('lost', `${id} is ${status} for ever`)
  }
  for (const { op, answer } of calls) {
    if (op !== 'enqueue' || !answer) continue
    const [plain, keyed, again] = answer as unknown as { status: string; id: string }[]
    tally.count('enqueued', 2)
    if (again?.id !== keyed?.id || again?.status !== 'duplicate') tally.fault('dup', `${keyed?.id} has a twin`)
    for (const one of [plain, keyed])
      if (listed.get(one?.id ?? '')?.length !== 1) tally.fault('lost', `${one?.id} was enqueued and is not there`)
  }
  const ending = called.filter(({ op, answer: { status } }) =>
    op === 'complete' ? status === 'done' : status === 'failed',
  )
  for (const [id, own] of grouped(ending, ({ about }) => about.id)) {
    tally.count('ended')
    if (new Set(own.map(({ about }) => about.epoch)).size > 1) tally.fault('dup', `${id} ended more than once`)
    const wanted = own[0]?.op === 'complete' ? 'done' : 'failed'
    if (listed.get(id)?.[0]?.status !== wanted) tally.fault('lost', `${id} was acknowledged as ${wanted}`)
  }
}

export const judgeClaims = (record: CrowdRecord, tasks: readonly InboxTask[], tally: Tally): void => {
  const calls = record.members.flatMap(callsOf)
  const holds = holdsIn(calls)
  const called = calls.filter((call): call is Verb => verbs.includes(call.op) && call.answer !== undefined)
  tally.count('claims', holds.length)
  judgeHolders(holds, record, tally)
  judgeFence(holds, called, tally)
  judgeIssues(holds, called, tally)
  judgeEnds(calls, called, tasks, tally)
}
