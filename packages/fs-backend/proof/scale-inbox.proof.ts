import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createIds, type InboxStore, silentLogger, systemClock } from '@nexus/core'
import { afterEach, expect, test, vi } from 'vitest'
import { freshRoot } from '../test/harness.ts'
import { claimOne, task } from '../test/inbox-opening.ts'
import { plant } from '../test/planting.ts'
import { type Blocking, createBlocking, longestBlock } from './blocking.ts'
import { deafNews } from './bugs/deaf-news.ts'
import { silentNames } from './bugs/silent-names.ts'
import { type Cost, createCounting, medianCost } from './counting.ts'
import { report } from './writing.ts'

const few = 1000
const many = process.env['NEXUS_PROOF'] === 'long' ? 100_000 : 10_000
const rounds = 15
const pageLength = 500

/** What `counts` looks at beyond its ceiling. */
const countedNames = 11_024

afterEach(() => {
  vi.doUnmock('../src/inbox/news.ts')
  vi.doUnmock('../src/inbox/inbox-layout.ts')
})

/** The store anew, with what was planted in it, on a folder of so many pending and so many done tasks. */
const openScale = async (n: number) => {
  vi.resetModules()
  const { openFsBackend } = await import('../src/index.ts')
  const { sys } = await import('../src/syscalls.ts')
  const root = await freshRoot()
  const planted = plant(root, { pending: n, done: n })
  const measured = createCounting(sys)
  const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger }
  const open = async (): Promise<InboxStore> =>
    (await openFsBackend({ root, ...context, liveness: () => 'unknown' })).inbox
  return {
    ...planted,
    measured,
    inbox: await open(),
    peer: await open(),
    async [Symbol.asyncDispose]() {
      await rm(root, { recursive: true, force: true })
    },
  }
}

type Scale = Awaited<ReturnType<typeof openScale>>

const at = (ids: readonly string[], share: number): string => ids[Math.floor(ids.length * share)] ?? ''

/** How many of five urgent tasks of another opening are claimed at once. */
const heard = async ({ inbox, peer }: Scale): Promise<number> => {
  let first = 0
  for (let n = 0; n < 5; n += 1) {
    const [enqueued] = await peer.enqueue([task({ filename: `urgent-${n}.md`, priority: 9 })])
    if ((await claimOne(inbox)).id === enqueued?.id) first += 1
  }
  return first
}

/** The median cost of each verb. */
const verbsOf = async ({ inbox, measured, pending, done }: Scale): Promise<Record<string, Cost>> => {
  const held = await claimOne(inbox)
  const verbs: Record<string, (n: number) => Promise<unknown>> = {
    'claim and complete': async () => inbox.complete((await claimOne(inbox)).claim),
    enqueue: (n) => inbox.enqueue([task({ filename: `new-${n}.md` })]),
    heartbeat: () => inbox.heartbeat([held.claim]),
    counts: () => inbox.counts(),
    'load of a pending one': (n) => inbox.load(at(pending, 0.3 + n / 100)),
    'load of a done one': (n) => inbox.load(at(done, 0.3 + n / 100)),
    cancel: (n) => inbox.cancel(at(pending, 0.6 + n / 100)),
  }
  const costs: Record<string, Cost> = {}
  for (const [verb, work] of Object.entries(verbs)) {
    const each: Cost[] = []
    for (let n = 0; n < rounds; n += 1) each.push((await measured(() => work(n))).cost)
    costs[verb] = medianCost(each)
  }
  return costs
}

const heapUsed = (): number => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed / 1024 / 1024
}

/** Enough to see what grows with them: all of the short form's. */
const mostPages = 42

/** Over the pages: how many tasks, the records that a page reads, and what of it all is still held at the end. */
const walk = async ({ inbox, measured }: Scale, { during }: Blocking) => {
  const limit = pageLength
  const pages: Cost[] = []
  let listed = 0
  let heap = 0
  for (let cursor: string | null | undefined; cursor !== null && pages.length < mostPages; ) {
    const request = cursor === undefined ? { limit } : { limit, cursor }
    const { answer, cost } = await during(() => measured(() => inbox.list(request)))
    pages.push(cost)
    listed += answer.items.length
    cursor = answer.cursor
    if (pages.length === 2) heap = heapUsed()
  }
  const most = Math.max(...pages.map(({ records }) => records))
  return { pages: pages.length, listed, most, ms: medianCost(pages).ms, heap: heapUsed() - heap }
}

const rounded = (n: number): number => Math.round(n * 10) / 10

/** System calls and milliseconds of each verb, in the small inbox and in the big one. */
const sideBySide = (small: Record<string, Cost>, big: Record<string, Cost>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(big).flatMap(([verb, { calls, ms }]) => [
      [`${verb}: calls`, small[verb]?.calls ?? 0],
      [`${verb}: calls of many`, calls],
      [`${verb}: ms`, rounded(small[verb]?.ms ?? 0)],
      [`${verb}: ms of many`, rounded(ms)],
    ]),
  )

test('scale: [C-INBOX-4, C-INBOX-16, C-ALL-8] verbs of a big inbox cost what they cost in a small one', async () => {
  await using small = await openScale(few)
  const usual = await verbsOf(small)
  await small[Symbol.asyncDispose]()

  await using big = await openScale(many)
  const [idling, working] = [createBlocking(), createBlocking()]
  await idling.during(() => wait(1000))
  const first = await working.during(() => big.measured(() => claimOne(big.inbox)))
  const told = await working.during(() => heard(big))
  const costs = await working.during(() => verbsOf(big))
  const pages = await walk(big, working)
  report('scale of the inbox', {
    tasks: 2 * many,
    'records of the first claim': first.cost.records,
    'first claim, ms': rounded(first.cost.ms),
    'urgent at once': told,
    ...sideBySide(usual, costs),
    pages: pages.pages,
    'page of 500, records': pages.most,
    'page of 500, ms': rounded(pages.ms),
    'heap over the pages, MB': rounded(pages.heap),
    'event loop blocked, ms': rounded(working.longestMs()),
    'idle, ms': rounded(idling.longestMs()),
  })

  expect(first.cost.records).toBeLessThan(10)
  expect(told).toBe(5)
  for (const [verb, { calls, names, records }] of Object.entries(costs)) {
    const before = usual[verb] ?? { calls: 0, names: 0, records: 0 }
    expect(calls, `${verb}: system calls`).toBeLessThanOrEqual(1.5 * before.calls + 20)
    expect(records, `${verb}: records`).toBeLessThanOrEqual(before.records + 5)
    expect(names, `${verb}: names`).toBeLessThanOrEqual(verb === 'counts' ? countedNames : 1.5 * before.names + 1024)
  }
  // Urgent ones and those of the rounds of `enqueue` came on top.
  const all = 2 * many + 5 + rounds
  expect(pages.listed).toBe(Math.min(all, mostPages * pageLength))
  expect(pages.most).toBeLessThanOrEqual(520)
  expect(pages.heap).toBeLessThan(16)
  expect(working.longestMs()).toBeLessThan(longestBlock)
})

test('scale: a build that reads every record for the order is caught', async () => {
  vi.doMock('../src/inbox/inbox-layout.ts', async (importActual) => {
    const actual = await importActual<typeof import('../src/inbox/inbox-layout.ts')>()
    return { ...actual, inboxNames: silentNames(actual.inboxNames) }
  })
  await using scale = await openScale(few)
  const { cost } = await scale.measured(() => claimOne(scale.inbox))
  report('scale of the inbox, planted', { tasks: few, 'records of the first claim': cost.records })
  expect(cost.records).toBeGreaterThanOrEqual(few)
})

test('scale: a build that hears no news is caught', async () => {
  vi.doMock('../src/inbox/news.ts', async (importActual) => {
    const actual = await importActual<typeof import('../src/inbox/news.ts')>()
    return { ...actual, createNews: deafNews(actual.createNews) }
  })
  await using scale = await openScale(many)
  await claimOne(scale.inbox)
  const told = await heard(scale)
  report('scale of the inbox, planted', { tasks: many, 'urgent at once': told })
  expect(told).toBeLessThan(5)
})
