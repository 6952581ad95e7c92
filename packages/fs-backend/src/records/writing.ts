import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import type { Bytes } from '../atomic.ts'
import { each } from '../each.ts'
import { shortHash } from '../layout.ts'
import { look } from '../look.ts'
import type { Change } from '../revisions/revisions.ts'
import { pendingRecords } from '../sweep.ts'
import type { FsTools } from '../tools.ts'

/** One record as it is to lie on the disk. */
export interface Writing {
  /** Its name among the revisions. */
  record: string
  path: string
  bytes: Bytes
  modified: Date
  /** Other names of the file, for one that is not there yet. */
  also?: readonly string[] | undefined
  facts?: Change['facts']
  /** What is there now. */
  look(): Promise<Present | null>
}

export interface Present {
  stat: Stats
  /** It is what is to be written. */
  isSame: boolean
  /** Keeps a copy where it cannot be read. */
  keep(): Promise<void>
}

const together = 8

/**
 * Writing many records. Nearly all of them are new, and those are made side by side, never over another's file. What is
 * there, and what a writer is at work on, is changed one by one as by the stores themselves, so that of two writers one
 * sees what the other did.
 */
export const createWriteAll = (tools: FsTools) => {
  const { layout, atomic, revisions } = tools
  const revisionsOf = ({ record }: Writing): string => layout.revisions(shortHash(record))

  const change = (writing: Writing): Promise<void> =>
    revisions.commit<void>(writing.record, async () => {
      const { path, bytes, modified, facts } = writing
      const present = await writing.look()
      if (present?.isSame) return { answer: undefined }
      await present?.keep()
      return { answer: undefined, change: { kind: 'put', path, bytes, modified, base: present?.stat ?? null, facts } }
    })

  /** Those that are not what is to be written, or are about to be something else. */
  const differing = async <W extends Writing>(present: readonly W[]): Promise<W[]> => {
    const pending = present.length > 0 ? await pendingRecords(tools) : new Set()
    const found: W[] = []
    await each(present, together, async (writing) => {
      const isSettled = !pending.has(shortHash(writing.record))
      if (!isSettled || !(await writing.look())?.isSame) found.push(writing)
    })
    return found
  }

  /** `before` comes before those that are not there yet have their names. */
  return async <W extends Writing>(
    writings: readonly W[],
    before?: (fresh: readonly W[]) => Promise<void>,
  ): Promise<void> => {
    const present: W[] = []
    const untouched = new Map<W, string>()
    for (const writing of writings) {
      const revisions = revisionsOf(writing)
      if (look.isThere(writing.path) || look.isThere(revisions)) present.push(writing)
      else untouched.set(writing, revisions)
    }
    const fresh = [...untouched.keys()]
    await before?.(fresh)
    const taken = await atomic.bulk.create(fresh)
    const late = fresh.filter((one) => taken.has(one.path) || look.isThere(untouched.get(one) ?? one.path))
    await each([...(await differing(present)), ...late], together, change)
    // What is there already may come from a process that was killed before it was durable.
    await atomic.bulk.sync(new Set(present.filter(({ path }) => look.isThere(path)).map(({ path }) => dirname(path))))
  }
}
