import { type CallOptions, type ClaimedTask, ClaimRequest, parseInput } from '@nexus/core'
import { type Candidate, createCandidates, type Queues } from './candidates.ts'
import { isIdentityHeld } from './enqueue.ts'
import { isUnchanged, settleMs } from './hand-made.ts'
import { type HeldName, handMadeId, holderOf } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { decodeMarkdown, type TaskRecord, toTask, unlessCorrupt } from './record.ts'
import { identityKey } from './staging.ts'

/** What is being processed, with this claim's own tasks. */
interface Busy {
  held: Map<string, TaskRecord>
  load(project: string): number
  has(task: TaskRecord): boolean
}

const nameOf = ({ project, workspace, filename }: TaskRecord): string => JSON.stringify([project, workspace, filename])

const readBusy = async ({ places, records, logger }: InboxTools): Promise<Busy> => {
  const held = new Map<string, TaskRecord>()
  for (const name of [...(await places.processing()), ...(await places.ending())]) {
    const record = await unlessCorrupt(
      () => records.load({ id: name.id, version: name.epoch - 1 }),
      ({ message }) => logger.error('A held task has an unreadable record', { id: name.id, reason: message }),
    )
    if (record) held.set(name.id, record)
  }
  const all = (): TaskRecord[] => [...held.values()]
  return {
    held,
    load: (project) => all().filter((record) => record.project === project).length,
    has: (task) => all().some((record) => record.id !== task.id && nameOf(record) === nameOf(task)),
  }
}

/** Writes a worker's name down once, before the first file name that stands for it. */
export const createHolders = ({ atomic, inbox, reading }: InboxTools) => {
  const written = new Set<string>()
  return {
    async write(worker: string): Promise<string> {
      const holder = holderOf(worker)
      if (!written.has(holder)) await atomic.createOnce(inbox.holderFile(holder), worker)
      written.add(holder)
      return holder
    },
    async read(holder: string): Promise<string | null> {
      return (await reading.read(inbox.holderFile(holder)))?.bytes.toString('utf8') ?? null
    },
  }
}

export type Holders = ReturnType<typeof createHolders>

/** Taking one task: the rename into `processing` decides who has it. */
const createTaking = (tools: InboxTools) => {
  const { atomic, reading, clock, inbox, records, identities, endings } = tools

  /** Its identity is ours to register now, so that an enqueue of the same name meets it wherever it is. */
  const adopt = async ({ record }: Candidate): Promise<void> => {
    await records.create(record, 0)
    await identities.acquire(identityKey(record), { id: record.id, version: 0 }, isIdentityHeld(tools, record))
  }

  /**
   * The name may have come to stand for another file since it was listed, or its writer may have gone on: then it is
   * given back under the id that it has.
   */
  const check = async (held: HeldName, { project, file, handMade }: Candidate): Promise<boolean> => {
    const stat = await reading.stat(inbox.heldFile(held))
    if (!stat || !handMade) return stat !== null
    if (isUnchanged(handMade, stat)) return true
    const id = handMadeId(project, file, stat)
    const record = await records.load({ id: held.id, version: 0 })
    if (record && id !== held.id) await records.create({ ...record, id }, 0)
    const actual = { ...held, id }
    if (id !== held.id && (await atomic.move(inbox.heldFile(held), inbox.heldFile(actual))) === 'absent') return false
    const ending = await endings.endHold(actual, { kind: 'free', at: clock.now() + settleMs })
    if (ending) await endings.finish(ending)
    return false
  }

  return async (candidate: Candidate, holder: string, leaseMs: number): Promise<HeldName | null> => {
    if (candidate.record.cancelRequested) {
      const ending = await endings.endPending(candidate.path, candidate, { kind: 'cancel', at: clock.now() })
      if (ending) await endings.finish(ending)
      return null
    }
    if (candidate.handMade) await adopt(candidate)
    const held = { id: candidate.id, epoch: candidate.version + 1, holder, leaseMs }
    if ((await atomic.move(candidate.path, inbox.heldFile(held))) === 'absent') return null
    return (await check(held, candidate)) ? held : null
  }
}

/** What a claim gives its holder. Null where the hold is already gone. */
export const readClaimed = async (
  { records, reading, inbox, remember }: InboxTools,
  held: HeldName,
  worker: string,
): Promise<ClaimedTask | null> => {
  const record = await records.load({ id: held.id, version: held.epoch - 1 })
  const file = await reading.read(inbox.heldFile(held))
  if (!record || !file) return null
  remember(held)
  const task = toTask(record, decodeMarkdown(file.bytes), { status: 'processing', claimedBy: worker })
  return { ...task, claim: { id: held.id, epoch: held.epoch, worker } }
}

export const createClaim = (tools: InboxTools, holders: Holders) => {
  const { endings, clock } = tools
  const candidates = createCandidates(tools)
  const take = createTaking(tools)
  const served = new Map<string, number>()
  let serving = 0

  /** The project whose turn it is: fewest in processing, then longest unserved. [C-INBOX-4, C-INBOX-17] */
  const nextProject = (queues: Queues, busy: Busy, most: number): string | null => {
    const [first] = [...queues.keys()]
      .map((project) => ({ project, load: busy.load(project), served: served.get(project) ?? 0 }))
      .filter(({ load }) => load < most)
      .sort((a, b) => a.load - b.load || a.served - b.served)
    return first?.project ?? null
  }

  const takeAll = async (
    { limit, leaseMs, maxPerProject = Number.POSITIVE_INFINITY }: ClaimRequest,
    queues: Queues,
    holder: string,
  ) => {
    const busy = await readBusy(tools)
    const taken: HeldName[] = []
    while (taken.length < limit) {
      const project = nextProject(queues, busy, maxPerProject)
      if (project === null) break
      const queue = queues.get(project) ?? []
      const index = queue.findIndex(({ record }) => !busy.has(record))
      const [candidate] = index < 0 ? [] : queue.splice(index, 1)
      if (!candidate) {
        queues.delete(project)
        continue
      }
      const held = await take(candidate, holder, leaseMs)
      if (!held) continue
      busy.held.set(held.id, candidate.record)
      serving += 1
      served.set(project, serving)
      taken.push(held)
    }
    return taken
  }

  /**
   * Another process may have taken a task of the same name between our look and our rename. Both look again afterwards,
   * so at least the later one sees the other; whoever sees one gives its own back. [C-INBOX-6]
   */
  const withoutTwins = async (taken: HeldName[]): Promise<HeldName[]> => {
    if (taken.length === 0) return []
    const busy = await readBusy(tools)
    const kept: HeldName[] = []
    for (const held of taken) {
      const record = busy.held.get(held.id)
      if (!record || !busy.has(record)) {
        kept.push(held)
        continue
      }
      const ending = await endings.endHold(held, { kind: 'free', at: clock.now() })
      if (ending) await endings.finish(ending)
    }
    return kept
  }

  const claim = async (request: ClaimRequest): Promise<ClaimedTask[]> => {
    await tools.finishAll()
    await candidates.promote()
    const queues = await candidates.queues(request)
    if (queues.size === 0) return []
    const holder = await holders.write(request.worker)
    const claimed: ClaimedTask[] = []
    for (const held of await withoutTwins(await takeAll(request, queues, holder))) {
      const task = await readClaimed(tools, held, request.worker)
      if (task) claimed.push(task)
    }
    return claimed
  }

  return async (given: ClaimRequest, options?: CallOptions): Promise<ClaimedTask[]> => {
    tools.checkOpen(options)
    const request = parseInput(ClaimRequest, given, 'claim request')
    return tools.inTurn('claim', () => claim(request))
  }
}
