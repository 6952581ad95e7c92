import type { Backend, Claim, CompletionInput, Page, PageRequest, Rev } from '@nexus/core'
import type { Harness } from '../harness.ts'
import { actors } from './operation.ts'

/** Which rev a guarded write carries. */
type GuardKind = 'plain' | 'absent' | 'current' | 'stale'

/** One backend under the sequence, with what it handed out, so that both sides hand back the same things. */
export interface Side {
  readonly harness: Harness
  /** Number of the operation: makes contents that occur once. */
  step: number
  /** One of several openings of the same data. */
  actor(n: number): Backend
  reopen(): Promise<void>
  /** The process of this opening is gone: nothing is closed, and another one opens in its place. */
  crash(n: number): Promise<void>
  /** The last revs seen of a record, oldest first. */
  sawRev(record: string, rev: Rev | null): void
  guard(record: string, kind: GuardKind): { ifRev?: Rev | null }
  /** Every claim that was handed out; `back` counts from the latest. */
  claims: Claim[]
  claim(back: number): Claim | undefined
  /** How its number stands to those that were handed out for the task before: it only grows. */
  epoch(claim: Claim): 'grew' | 'did not grow'
  tasks: TaskNames
  /** Asks for the next page of a list, or for its first where there is none. */
  page<T>(list: string, limit: number, ask: (request: PageRequest) => Promise<Page<T>>): Promise<Page<T>>
  /** What changes while it is paged may come again: the lists whose name begins so are asked from their first page on. */
  forgetPages(lists: string): void
  /** The report that was saved last. */
  lastReport: CompletionInput | null
  /** How often each worker was killed and replaced. */
  generations: Map<number, number>
  /** True where what was seen of a record's times is in order: created once, changed never earlier than before. */
  times(record: string, times: { createdAt: Date; updatedAt: Date }): string
}

/** Ids are the backend's own; a task is known by its markdown, which occurs once. */
interface TaskNames {
  known(): string[]
  id(name: string): string | undefined
  name(id: string): Promise<string>
  saw(id: string, markdown: string): void
}

const createTaskNames = (backend: () => Backend): TaskNames => {
  const ids = new Map<string, string>()
  const names = new Map<string, string>()
  const saw = (id: string, name: string): void => {
    ids.set(name, id)
    names.set(id, name)
  }
  return {
    saw,
    known: () => [...ids.keys()].sort(),
    id: (name) => ids.get(name),
    async name(id) {
      const known = names.get(id)
      if (known !== undefined) return known
      const task = await backend().inbox.load(id)
      if (!task) return `nobody's id`
      saw(id, task.markdown)
      return task.markdown
    },
  }
}

const createRevs = (): Pick<Side, 'sawRev' | 'guard'> => {
  const revs = new Map<string, Rev[]>()
  const of = (record: string): Rev[] => revs.get(record) ?? []
  return {
    sawRev(record, rev) {
      if (rev !== null && of(record).at(-1) !== rev) revs.set(record, [...of(record).slice(-8), rev])
    },
    guard(record, kind) {
      if (kind === 'plain') return {}
      if (kind === 'absent') return { ifRev: null }
      return { ifRev: (kind === 'current' ? of(record).at(-1) : of(record).at(-2)) ?? 'a-rev-of-nothing' }
    },
  }
}

const createTimes = (): Side['times'] => {
  const seen = new Map<string, { createdAt: number; updatedAt: number }>()
  return (record, { createdAt, updatedAt }) => {
    const now = { createdAt: createdAt.getTime(), updatedAt: updatedAt.getTime() }
    const before = seen.get(record)
    seen.set(record, now)
    if (!before) return 'first seen'
    if (now.createdAt !== before.createdAt) return 'created anew'
    return now.updatedAt < before.updatedAt ? 'changed earlier than before' : 'in order'
  }
}

const mostLeftOpen = 4

const createOpenings = async (harness: Harness): Promise<Pick<Side, 'actor' | 'reopen' | 'crash'>> => {
  let leftOpen = 0
  const all = async (): Promise<Backend[]> => {
    const openings = [harness.backend]
    while (openings.length < actors) openings.push(await harness.peer())
    return openings
  }
  let openings = await all()
  const reopen = async (): Promise<void> => {
    await harness.reopen()
    leftOpen = 0
    openings = await all()
  }
  return {
    actor: (n) => openings[n % actors] ?? harness.backend,
    reopen,
    async crash(n) {
      // One process cannot hold any number of them.
      if (leftOpen === mostLeftOpen) await reopen()
      leftOpen += 1
      openings[n % actors] = await harness.peer()
    },
  }
}

export const openSide = async (harness: Harness): Promise<Side> => {
  const openings = await createOpenings(harness)
  const cursors = new Map<string, string>()
  const claims: Claim[] = []
  // What other programs write in the present is old news for every clock of ours.
  await harness.advance(24 * 3_600_000)
  return {
    harness,
    step: 0,
    claims,
    claim: (back) => claims.at(-1 - (back % Math.max(1, claims.length))),
    epoch: ({ id, epoch }) =>
      claims.some((claim) => claim.id === id && claim.epoch >= epoch) ? 'did not grow' : 'grew',
    lastReport: null,
    generations: new Map(),
    tasks: createTaskNames(() => openings.actor(0)),
    times: createTimes(),
    ...createRevs(),
    ...openings,
    forgetPages(lists) {
      for (const list of cursors.keys()) if (list.startsWith(lists)) cursors.delete(list)
    },
    async page(list, limit, ask) {
      const page = await ask({ limit, cursor: cursors.get(list) })
      if (page.cursor === null) cursors.delete(list)
      else cursors.set(list, page.cursor)
      return page
    },
  }
}
