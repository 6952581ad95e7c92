import { setTimeout } from 'node:timers/promises'
import { type Backend, isStoreError, type Page, type PageRequest } from '@nexus/core'

/** What a call came to, without what each backend names in its own way. */
export interface Verdict {
  words: string
  isRefused: boolean
  /** It threw what no caller expects, or did not end. */
  isCrash: boolean
}

/** Ids, revs and times are each backend's own; where data lies and what a person reads of it as well. */
const own = new Set(['rev', 'current', 'cursor', 'place', 'reason', 'id'])
const ownTimes = /(At|_at)$/

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}… ${text.length}` : text)

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members in one order: which one a backend gives them is its own as well. */
export const plain = (value: unknown): string =>
  JSON.stringify(value, (key, member: unknown) => {
    if ((own.has(key) || ownTimes.test(key)) && member !== null) return 'own'
    return isRecord(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member
  }) ?? 'nothing'

/** No call of a store may take longer than this, whatever it is given. */
const mostMs = 60_000

export const verdictOf = async (call: () => Promise<unknown>): Promise<Verdict> => {
  const late = new AbortController()
  try {
    const answer = await Promise.race([
      call(),
      setTimeout(mostMs, null, { signal: late.signal }).then(() => Promise.reject(new Error('It does not end.'))),
    ])
    return { words: plain(answer), isRefused: false, isCrash: false }
  } catch (error) {
    if (isStoreError(error)) return { words: `${error.code} ${error.outcome}`, isRefused: true, isCrash: false }
    return { words: `untyped ${error instanceof Error ? error.stack : error}`, isRefused: true, isCrash: true }
  } finally {
    late.abort()
  }
}

/** What is counted over all inputs, and each fault in words. */
export const createFindings = () => {
  const figures = { verdicts: 0, 'verdicts-differing': 0, outside: 0, changed: 0, crashed: 0 }
  const faults: string[] = []
  const fault = (figure: keyof typeof figures, words: string): void => {
    figures[figure] += 1
    faults.push(`${figure}: ${shortened(words)}`)
  }
  return {
    figures,
    faults,
    fault,
    /** The same call on both sides. True where both did it. */
    async both(
      what: string,
      call: (backend: Backend) => Promise<unknown>,
      sides: readonly Backend[],
    ): Promise<boolean> {
      const verdicts = []
      for (const side of sides) verdicts.push(await verdictOf(() => call(side)))
      const [files, postgres] = verdicts
      if (!files || !postgres) throw new Error('There are two sides.')
      figures.verdicts += 1
      for (const { isCrash, words } of verdicts) if (isCrash) fault('crashed', `${what}: ${words}`)
      if (files.words !== postgres.words)
        fault('verdicts-differing', `${what}: files ${shortened(files.words)}, postgres ${shortened(postgres.words)}`)
      return !files.isRefused && !postgres.isRefused
    },
  }
}

export type Findings = ReturnType<typeof createFindings>

const every = async <T>(list: (request: PageRequest) => Promise<Page<T>>): Promise<T[]> => {
  const items: T[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Page<T> = await list({ limit: 1000, ...(cursor ? { cursor } : {}) })
    items.push(...page.items)
    cursor = page.cursor
  }
  return items
}

/** All that a backend shows, in an order of its own. */
export const everything = async ({ workflows, completions, hostState, taskFiles, inbox }: Backend) => ({
  workflows: (await every((page) => workflows.list(page)))
    .map(({ id, ...rest }) => plain({ ...rest, name: id }))
    .sort(),
  completions: (await every((page) => completions.scan(page))).map(plain).sort(),
  keys: await every((page) => hostState.keys(page)),
  taskFiles: (await every((page) => taskFiles.list(page))).map(plain).sort(),
  inbox: (await every((page) => inbox.list(page))).map(plain).sort(),
})
