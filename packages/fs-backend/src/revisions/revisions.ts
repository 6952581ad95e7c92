import type { Stats } from 'node:fs'
import { dirname, relative } from 'node:path'
import { type CallOptions, type Logger, StoreError } from '@nexus/core'
import type { Atomic, Bytes } from '../atomic.ts'
import { obstacleError } from '../fs-errors.ts'
import { type Layout, shortHash } from '../layout.ts'
import type { Quarantine } from '../quarantine.ts'
import type { Reading } from '../reading.ts'
import { createTurns } from '../turns.ts'
import { createRevisionLog, type LogEntries, type RevisionLog } from './log.ts'
import { Facts, type NewFacts, type Operation, type Revision, stampOf } from './operation.ts'
import { createSettle } from './settle.ts'

/** One change that a caller wants, decided from what is there. Paths are absolute. */
export type Change = { path: string; facts?: { folder: string; facts: NewFacts } | undefined } & (
  | { kind: 'put'; bytes: Bytes; modified: Date; base: Stats | null }
  | { kind: 'drop'; base: Stats }
  | { kind: 'move'; folder: string; filename: string; base: Stats; project: string }
)

/** Nothing to do, or a change; `staged` learns of the new file before anybody can see it. */
export type Decision<T> = { answer: T } | ({ answer: T } & Planned)

interface Planned {
  change: Change
  staged?: ((stat: Stats) => Promise<void>) | undefined
}

/**
 * Compare-and-set on files without locks. A record's changes are numbered; making number n is create-once, so of racing
 * writers one goes on and the others look again. The documented files are the truth: a revision says only what is to be
 * done to them, and its token exists as long as it is not done, so whoever comes next finishes what a killed process
 * left. [C-ALL-1, C-ALL-3, C-ALL-4]
 */
export interface Revisions {
  /** `decide` reads the record's files and may run more than once; only its last answer counts. */
  commit<T>(record: string, decide: () => Promise<Decision<T>>, options?: CallOptions): Promise<T>
  /** `read`, and once more where it found nothing only because a change is under way. */
  settled<T>(record: string, read: () => Promise<T | null>): Promise<T | null>
  /** Finishes what a killed process left of the record with this hash. */
  finish(hash: string): Promise<void>
}

export interface RevisionsParts {
  root: string
  layout: Layout
  atomic: Atomic
  reading: Reading
  quarantine: Quarantine
  logger: Logger
  tempName(): string
}

const operationOf = (root: string, change: Change): Operation => {
  const inside = (path: string): string => relative(root, path)
  const path = inside(change.path)
  const facts = change.facts && {
    folder: inside(change.facts.folder),
    facts: Facts.parse(change.facts.facts),
  }
  const shared = { path, ...(facts && { facts }) }
  switch (change.kind) {
    case 'put':
      return { kind: 'put', ...shared, base: change.base && stampOf(change.base) }
    case 'drop':
      return { kind: 'drop', ...shared, base: stampOf(change.base) }
    case 'move': {
      const { filename, project } = change
      return { kind: 'move', ...shared, filename, project, folder: inside(change.folder), base: stampOf(change.base) }
    }
  }
}

/** After its revision exists, a change may happen whatever this process does. */
const unsure = (error: unknown): unknown =>
  error instanceof StoreError && error.code === 'unavailable'
    ? new StoreError({ code: 'unavailable', message: error.message, outcome: 'unknown', cause: error.cause })
    : error

export const createRevisions = (parts: RevisionsParts): Revisions => {
  const { root, layout, atomic, reading, tempName } = parts
  const settle = createSettle(parts)
  const inTurn = createTurns()

  /** Puts in order what others left, and says which revision is the last. */
  const tidy = async (log: RevisionLog): Promise<LogEntries> => {
    for (;;) {
      const entries = await log.list()
      const revision = entries.top > 0 ? await log.read(entries.top) : null
      if (revision) await settle.finish(log, entries.top, revision)
      if (entries.asides.length === 0) return entries
      for (const aside of entries.asides) await settle.resolve(log, aside)
    }
  }

  /**
   * A revision counts only while it is the last: a slow process may have filled a number that was pruned, or have looked
   * while a file was out of its place. Whoever removes the token first decides.
   */
  const isVoid = async (log: RevisionLog, number: number, token: string): Promise<boolean> => {
    const { top, asides } = await log.list()
    const isLast = top === number && !asides.some((aside) => aside.kind === 'gone' && aside.number < number)
    return !isLast && (await atomic.loose.remove(log.tokenPath(token))) === 'removed'
  }

  /** While a slow process has a file in its hand, the file only seems to be absent. */
  const isDisturbed = async (log: RevisionLog): Promise<boolean> =>
    (await log.list()).asides.some(({ kind }) => kind === 'gone')

  const carryOut = async (log: RevisionLog, number: number, revision: Revision, change: Change): Promise<boolean> => {
    try {
      if (await isVoid(log, number, revision.token)) return false
      if ((await settle.finish(log, number, revision)) === 'already') {
        await atomic.syncFolder(dirname(change.path))
        if (change.kind === 'move') await atomic.syncFolder(change.folder)
      }
      return true
    } catch (error) {
      throw (await isTakenBack(log, number, revision)) ? error : unsure(error)
    }
  }

  /** Bytes whose token is gone before they were published can be published by nobody: that save did not happen. */
  const isTakenBack = async (log: RevisionLog, number: number, { token, operation }: Revision): Promise<boolean> => {
    if (operation.kind !== 'put') return false
    const removed = await atomic.loose.remove(log.tokenPath(token)).catch(() => 'absent')
    if (removed === 'removed') await settle.forget(number, operation)
    return removed === 'removed'
  }

  /** Makes the token: what a put publishes, another name of what moves, or nothing but a name. False: look again. */
  const stage = async (token: string, { change, staged }: Planned): Promise<boolean> => {
    if (change.kind === 'drop') return (await atomic.loose.createOnce(token, '')) === 'created'
    if (change.kind === 'put') {
      if (change.base === null && (await reading.isObstructed(change.path))) throw obstacleError(change.path)
      await atomic.makeFolder(dirname(change.path))
      const stat = await atomic.loose.stage(token, change.bytes, change.modified)
      await staged?.(stat)
      return true
    }
    const linked = await atomic.loose.link(change.path, token)
    if (linked === 'created' && (await reading.stat(token))?.ino === change.base.ino) return true
    await atomic.loose.remove(token)
    return false
  }

  /** One try: true when the change is done and durable, false when somebody else was first. */
  const attempt = async (log: RevisionLog, entries: LogEntries, { change, staged }: Planned): Promise<boolean> => {
    const number = entries.top + 1
    const token = log.token(number)
    const path = log.tokenPath(token)
    if (!(await stage(path, { change, staged }))) return false
    const revision: Revision = { token, operation: operationOf(root, change) }
    const isOurs = await log.create(number, revision).catch(async (error: unknown) => {
      await atomic.loose.remove(path).catch(() => undefined)
      throw error
    })
    if (!isOurs) {
      await atomic.loose.remove(path)
      return false
    }
    if (!(await carryOut(log, number, revision, change))) return false
    await log.prune(entries)
    return true
  }

  return {
    commit: (record, decide, options) =>
      inTurn(record, async () => {
        const log = createRevisionLog({ atomic, reading, layout, tempName }, shortHash(record))
        for (;;) {
          options?.signal?.throwIfAborted()
          const entries = await tidy(log)
          const decision = await decide()
          const isFinal = 'change' in decision ? await attempt(log, entries, decision) : !(await isDisturbed(log))
          if (isFinal) return decision.answer
        }
      }),
    async settled(record, read) {
      const log = createRevisionLog({ atomic, reading, layout, tempName }, shortHash(record))
      for (;;) {
        const found = await read()
        if (found !== null || !(await isDisturbed(log))) return found
        await inTurn(record, () => tidy(log))
      }
    },
    async finish(hash) {
      await tidy(createRevisionLog({ atomic, reading, layout, tempName }, hash))
    },
  }
}
