import type { CallOptions } from '@nexus/core'
import { shortHash } from '../layout.ts'
import { createTurns } from '../turns.ts'
import type { SettleParts } from './asides.ts'
import { createAttempt } from './attempt.ts'
import type { Decision } from './change.ts'
import { createRevisionLog, type LogEntries, type RevisionLog } from './log.ts'
import { createSettle } from './settle.ts'

export type { Change, Decision, Planned } from './change.ts'

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
  /**
   * `read`, with nothing to come that was decided before it: who is about to change the record decides anew. It waits for
   * no turn, so the decision about one record may fence another.
   */
  fenced<T>(record: string, read: () => Promise<T | null>): Promise<T | null>
  /** Finishes what a killed process left of the record with this hash. */
  finish(hash: string): Promise<void>
}

/** Of a record that was never changed. */
const none: LogEntries = { top: 0, numbers: [], asides: [] }

interface RevisionsParts extends SettleParts {
  tempName(): string
}

export const createRevisions = (parts: RevisionsParts): Revisions => {
  const { layout, atomic, reading, tempName } = parts
  const settle = createSettle(parts)
  const attempt = createAttempt(parts, settle)
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
   * What was seen since `before` was one state: between two looks a change takes a file elsewhere, and while a slow process
   * has it in its hand, it only seems to be absent.
   */
  const isUndisturbed = async (log: RevisionLog, before: LogEntries): Promise<boolean> => {
    const { top, asides } = await log.list()
    return top === before.top && asides.every(({ kind }) => kind !== 'gone')
  }

  return {
    commit: (record, decide, options) =>
      inTurn(record, () => {
        const hash = shortHash(record)
        const log = createRevisionLog({ atomic, reading, layout, tempName }, hash)
        const work = async () => {
          for (;;) {
            options?.signal?.throwIfAborted()
            const entries = await tidy(log)
            const decision = await decide()
            const isFinal =
              'change' in decision ? await attempt(log, entries, decision) : await isUndisturbed(log, entries)
            if (isFinal) return decision.answer
          }
        }
        return reading.holding(layout.temp, () => reading.holding(layout.revisions(hash), work))
      }),
    async settled(record, read) {
      const log = createRevisionLog({ atomic, reading, layout, tempName }, shortHash(record))
      let found = await read()
      for (let before = none; found === null && !(await isUndisturbed(log, before)); found = await read())
        before = await inTurn(record, () => tidy(log))
      return found
    },
    async fenced(record, read) {
      const log = createRevisionLog({ atomic, reading, layout, tempName }, shortHash(record))
      for (;;) {
        const entries = await tidy(log)
        const top = entries.top + 1
        if (!(await log.fence(top))) continue
        const found = await read()
        if (found !== null || (await isUndisturbed(log, { ...entries, top }))) return found
      }
    },
    async finish(hash) {
      await tidy(createRevisionLog({ atomic, reading, layout, tempName }, hash))
    },
  }
}
