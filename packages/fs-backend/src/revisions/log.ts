import { join } from 'node:path'
import { parseJson } from '@nexus/core'
import type { Atomic } from '../atomic.ts'
import type { Layout } from '../layout.ts'
import type { Reading } from '../reading.ts'
import { Revision } from './operation.ts'

/** What the folder of one record's revisions holds. */
export interface LogEntries {
  /** The highest revision; 0 where there is none. */
  top: number
  numbers: number[]
  /** Files taken out of their place that somebody must still look at, with their revision. */
  asides: Aside[]
}

export interface Aside {
  kind: 'aside' | 'gone'
  number: number
  path: string
}

/** Create-once revisions of one record: who makes number n is the one that may make the n-th change. */
export interface RevisionLog {
  list(): Promise<LogEntries>
  /** Null where there is nothing to do: it is a fence, or a power cut took what no living process had acknowledged. */
  read(number: number): Promise<Revision | null>
  /** True for the one caller that made it. A durable one is on the disk with its token before anything is done for it. */
  create(number: number, revision: Revision, how: { isDurable: boolean }): Promise<boolean>
  /** Makes the number stand for no change; true where it was the next one, so that nobody else has it or can get it. */
  fence(number: number): Promise<boolean>
  /** Removes revisions that no process can need. */
  prune(entries: LogEntries): Promise<void>
  asidePath(kind: Aside['kind'], number: number): string
  token(number: number): string
  tokenPath(token: string): string
}

/** Revisions are told apart by number alone, so a few stay for those who are slow to look. */
const kept = 3

const asidePattern = /^(\d+)\.[^.]+\.(aside|gone)$/

interface LogParts {
  atomic: Atomic
  reading: Reading
  layout: Layout
  tempName(): string
}

export const createRevisionLog = ({ atomic, reading, layout, tempName }: LogParts, hash: string): RevisionLog => {
  const folder = layout.revisions(hash)
  const make = async (number: number, text: string): Promise<boolean> =>
    (await atomic.loose.createOnce(join(folder, String(number)), text)) === 'created'
  const list = async (): Promise<LogEntries> => {
    const names = await reading.fewFiles(folder)
    const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number)
    const asides = names.flatMap((name): Aside[] => {
      const found = asidePattern.exec(name)
      return found
        ? [{ kind: found[2] === 'gone' ? 'gone' : 'aside', number: Number(found[1]), path: join(folder, name) }]
        : []
    })
    return { top: Math.max(0, ...numbers), numbers, asides }
  }
  return {
    list,
    async read(number) {
      const file = await reading.read(join(folder, String(number)))
      const parsed = parseJson(file?.bytes.toString('utf8') ?? '')
      const revision = Revision.safeParse(parsed.ok ? parsed.value : null)
      return revision.success ? revision.data : null
    },
    async create(number, revision, { isDurable }) {
      if (!isDurable) return make(number, JSON.stringify(revision))
      await atomic.syncFolder(layout.temp)
      return (await atomic.createOnce(join(folder, String(number)), JSON.stringify(revision))) === 'created'
    },
    // A slow process can make a number that was pruned, but then the kept ones stand above it.
    fence: async (number) => (await make(number, '')) && (await list()).top < number + kept,
    async prune({ top, numbers, asides }) {
      if (asides.length > 0) return
      for (const number of numbers.filter((n) => n <= top - kept))
        await atomic.loose.remove(join(folder, String(number)))
    },
    asidePath: (kind, number) => join(folder, `${number}.${tempName()}.${kind}`),
    token: (number) => `${tempName()}.${hash}.${number}`,
    tokenPath: (token) => join(layout.temp, token),
  }
}
