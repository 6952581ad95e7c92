import { dirname } from 'node:path'
import { type CallOptions, type ClaimedTask, ClaimRequest, parseInput } from '@nexus/core'
import { isAbsent, storeErrorOf } from '../fs-errors.ts'
import { type Busy, readBusy } from './busy.ts'
import { type Candidate, createCandidates, type Lines } from './candidates.ts'
import { isUnchanged, settleMs } from './hand-made.ts'
import type { Holders } from './holders.ts'
import { type HeldName, handMadeId } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'
import { decodeMarkdown, toTask } from './record.ts'
import { identityKey } from './staging.ts'
import { isIdentityHeld } from './twins.ts'

/** Taking one task: the rename into `processing` decides who has it. */
const createTaking = (tools: InboxTools) => {
  const { atomic, reading, clock, inbox, queue, records, identities, endings } = tools

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
      const ending = await endings.endPending(candidate, candidate, { kind: 'cancel', at: clock.now() })
      if (ending) await endings.finish(ending)
      return null
    }
    if (candidate.handMade) await adopt(candidate)
    const held = { id: candidate.id, epoch: candidate.version + 1, holder, leaseMs }
    const moved = await atomic.loose.move(candidate.path, inbox.heldFile(held))
    await queue.left(candidate)
    if (moved === 'absent') return null
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

/** The project whose turn it is: fewest in processing, then longest unserved. [C-INBOX-4, C-INBOX-17] */
const createFairness = () => {
  const served = new Map<string, number>()
  let serving = 0
  return {
    serve(project: string): void {
      serving += 1
      served.set(project, serving)
    },
    next(lines: Lines, busy: Busy, most: number): string | null {
      const [first] = [...lines.keys()]
        .map((project) => ({ project, load: busy.load(project), served: served.get(project) ?? 0 }))
        .filter(({ load }) => load < most)
        .sort((a, b) => a.load - b.load || a.served - b.served)
      return first?.project ?? null
    },
  }
}

/** Takes from the lines, in turn, up to the limit; all of it is on the disk together, before anybody is told. */
const createTakingAll = (tools: InboxTools, holders: Holders) => {
  const take = createTaking(tools)
  const fairness = createFairness()

  const sync = (path: string): Promise<void> =>
    tools
      .withFolder(path, (folder) => folder.sync())
      .catch((error: unknown) => {
        // Somebody removed the folder that nothing is left in.
        if (!isAbsent(error)) throw storeErrorOf(error, path, 'unknown')
      })

  /** Where they went first: a power cut in between leaves two names of a task, and never none. */
  const syncAll = async (left: ReadonlySet<string>): Promise<void> => {
    if (left.size === 0) return
    await sync(tools.inbox.processing)
    await Promise.all([...left].map(sync))
  }

  return async (request: ClaimRequest, lines: Lines): Promise<HeldName[]> => {
    const { limit, leaseMs, maxPerProject = Number.POSITIVE_INFINITY } = request
    const busy = await readBusy(tools)
    const taken: HeldName[] = []
    const left = new Set<string>()
    while (taken.length < limit) {
      const project = fairness.next(lines, busy, maxPerProject)
      if (project === null) break
      const candidate = await lines.get(project)?.next((record) => !busy.has(record))
      if (!candidate) {
        lines.delete(project)
        continue
      }
      const held = await take(candidate, await holders.write(request.worker), leaseMs)
      if (!held) continue
      busy.held.set(held.id, candidate.record)
      fairness.serve(project)
      taken.push(held)
      left.add(dirname(candidate.path))
    }
    await syncAll(left)
    return taken
  }
}

export const createClaim = (tools: InboxTools, holders: Holders, promote: () => Promise<void>) => {
  const { endings, clock } = tools
  const openLines = createCandidates(tools)
  const takeAll = createTakingAll(tools, holders)

  const takeFrom = async (request: ClaimRequest, lines: Lines): Promise<HeldName[]> => {
    const all = [...lines.values()]
    try {
      return await takeAll(request, lines)
    } finally {
      for (const line of all) line.end()
    }
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
    await promote()
    const claimed: ClaimedTask[] = []
    for (const held of await withoutTwins(await takeFrom(request, await openLines(request)))) {
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
