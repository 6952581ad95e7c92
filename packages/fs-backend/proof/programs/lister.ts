import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Backend, createIds, type Page, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { look } from '../../src/look.ts'
import { howToRead } from '../../src/reading.ts'
import { sys } from '../../src/syscalls.ts'
import { createBlocking } from '../blocking.ts'
import { nameOf, numberOf } from '../many-records.ts'

/** What walking one list took. */
export interface Walked {
  /** Milliseconds until the first page, without and with facts of an earlier look. */
  first: number
  second: number
  walk: number
  /** The processor's milliseconds for each page of the walk; others at work on the machine make them no more. */
  cpu: number
  pages: number
  /** Records that did not appear exactly once. */
  wrong: number
  /** The most files that a page read, of those after the first look. */
  reads: number
  /** Growth of the heap by the first page and by the walk, in megabytes. */
  facts: number
  growth: number
}

/** What was asked of one issue, while there were so many others. */
export interface Asked {
  scan: number
  history: number
  load: number
  /** Files read for all three. */
  reads: number
}

export interface ListFigures {
  lists: Record<string, Walked>
  asked: Asked
  /** Edits in place, of the same size and with the time set back, that the next list did not show. */
  unseen: number
  /** Files read by the list after that edit, beyond its page. */
  readAgain: number
  /** The longest that the event loop was held up, in milliseconds, and how long while nothing was done. */
  blocked: number
  idle: number
}

const [, , root = '', counted = ''] = process.argv
const count = Number(counted)
const limit = 1000

let reads = 0
const { open } = sys
Object.assign(sys, {
  open: (path: string, how: number, mode?: number) => {
    if (how === howToRead) reads++
    return open(path, how, mode)
  },
})
const { read } = look
Object.assign(look, {
  read: (...given: Parameters<typeof read>) => {
    reads++
    return read(...given)
  },
})

const heap = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const [listing, idling] = [createBlocking(), createBlocking()]

const timed = async <T>(work: () => Promise<T>): Promise<number> => {
  const from = performance.now()
  await listing.during(work)
  return Math.round(performance.now() - from)
}

type List = (request: { cursor?: string | undefined; limit: number }) => Promise<Page<string>>

const named = <T>(page: Page<T>, name: (item: T) => string): Page<string> => ({ ...page, items: page.items.map(name) })

const listsOf = ({ workflows, completions, hostState, taskFiles }: Backend): Record<string, List> => ({
  workflows: async (request) => named(await workflows.list(request), ({ id }) => id),
  tasks: async (request) => named(await taskFiles.list(request), ({ filename }) => filename),
  completions: async (request) => named(await completions.scan(request), ({ issueNumber }) => issueNumber),
  keys: (request) => hostState.keys(request),
})

const walk = async (list: List): Promise<Walked> => {
  const empty = heap()
  const first = await timed(() => list({ limit }))
  const known = heap()
  const second = await timed(() => list({ limit }))
  const times = new Uint8Array(count)
  let [pages, most] = [0, 0]
  const before = process.cpuUsage()
  const ms = await timed(async () => {
    for (let cursor: string | null | undefined; cursor !== null; pages++) {
      reads = 0
      const page: Page<string> = await list({ cursor, limit })
      most = Math.max(most, reads)
      for (const name of page.items) times[numberOf(name)] = (times[numberOf(name)] ?? 0) + 1
      cursor = page.cursor
    }
  })
  const { user, system } = process.cpuUsage(before)
  const cpu = (user + system) / 1000 / pages
  const wrong = times.filter((n) => n !== 1).length
  return { first, second, walk: ms, cpu, pages, wrong, reads: most, facts: known - empty, growth: heap() - known }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? 0

const ask = async ({ completions, workflows }: Backend): Promise<Asked> => {
  const some = Array.from({ length: 21 }, (_, n) => nameOf(Math.floor((n * count) / 21)))
  reads = 0
  const take = async (work: (name: string) => Promise<unknown>): Promise<number> => {
    const took: number[] = []
    for (const name of some) {
      const from = performance.now()
      await work(name)
      took.push(performance.now() - from)
    }
    return median(took)
  }
  return {
    scan: await take((issueNumber) => completions.scan({ issueNumber })),
    history: await take((issueNumber) => completions.history(issueNumber)),
    load: await take((id) => workflows.load(id)),
    reads: reads / some.length,
  }
}

/** A running workflow becomes pending: a word of the same length, written in place, and the time set back. */
const edit = async ({ workflows }: Backend): Promise<Pick<ListFigures, 'unseen' | 'readAgain'>> => {
  const path = join(root, 'workflows', `${nameOf(0)}.json`)
  const { atime, mtime } = statSync(path)
  writeFileSync(path, readFileSync(path, 'utf8').replace('"state": "running"', '"state": "pending"'), { flag: 'r+' })
  utimesSync(path, atime, mtime)
  reads = 0
  const { items } = await workflows.list({ state: 'pending' })
  return { unseen: items.some(({ id }) => id === nameOf(0)) ? 0 : 1, readAgain: reads - items.length }
}

const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger }
const backend = await openFsBackend({ root, ...context, liveness: () => 'unknown' })
// Within a tick of the clock that stamps files a stamp tells nothing: such files would be read twice.
await idling.during(() => wait(2500))
const lists: Record<string, Walked> = {}
for (const [name, list] of Object.entries(listsOf(backend))) lists[name] = await walk(list)
const loop = { blocked: listing.longestMs(), idle: idling.longestMs() }
const figures: ListFigures = { lists, asked: await ask(backend), ...(await edit(backend)), ...loop }
process.stdout.write(JSON.stringify(figures))
