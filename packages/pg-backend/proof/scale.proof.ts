import type { Backend } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPgBackend } from '../src/backend.ts'
import { type CrowdSize, crowded, crowdSql } from '../test/crowd.ts'
import { type Database, migratedDatabase } from '../test/database.ts'
import { openExplainer } from '../test/explain.ts'
import { excess, hotStatements } from '../test/hot-statements.ts'
import { report } from './report.ts'
import { expectedTally, heapInUse, walkAll, walks } from './walking.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
const longest = 7_200_000

/** An inbox has fifteen times as many rows as of each kind, and one for each project. */
const full: CrowdSize = isLong
  ? { completions: 1_000_000, tasks: 13_000, projects: 5000, workflows: 100_000, taskFiles: 100_000 }
  : { completions: 50_000, tasks: 1300, projects: 500, workflows: 5000, taskFiles: 5000 }
const small: CrowdSize = { completions: 8000, tasks: 300, projects: 300, workflows: 4000, taskFiles: 4000 }

/** What may be in use more than before: two pages, and what the runtime keeps. */
const mostGrowth = 16 * 1024 * 1024

interface Place extends AsyncDisposable {
  database: Database
  backend: Backend
}

/** Filled by INSERT … SELECT, as no store could in the time; every answer comes from the store. */
const openFilled = async (size: CrowdSize): Promise<Place> => {
  const database = await migratedDatabase()
  const options = { timeoutMs: longest }
  await database.client.query(crowdSql(size), [], options)
  await database.client.query('VACUUM ANALYZE', [], options)
  const backend = await openPgBackend({ dsn: database.dsn, timeoutMs: 60_000, ...createFakes().context })
  return {
    database,
    backend,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}

let filled: Place
let little: Place
beforeAll(async () => {
  filled = await openFilled(full)
  little = await openFilled(small)
}, longest)
afterAll(async () => {
  await filled[Symbol.asyncDispose]()
  await little[Symbol.asyncDispose]()
})

/** Of nine runs, in milliseconds. */
const median = async (work: (nth: number) => Promise<unknown>): Promise<number> => {
  const times: number[] = []
  for (let nth = 0; nth < 9; nth += 1) {
    const start = performance.now()
    await work(nth)
    times.push(performance.now() - start)
  }
  return Math.round((times.sort((a, b) => a - b)[4] ?? 0) * 10) / 10
}

const mediansOf = async ({ backend: { inbox, completions } }: Place): Promise<Record<string, number>> => ({
  claim_and_complete: await median(async () => {
    for (const { claim } of await inbox.claim({ worker: 'w', leaseMs: 60_000, limit: 10 })) await inbox.complete(claim)
  }),
  counts: await median(() => inbox.counts()),
  scan: await median(() => completions.scan({ issueNumber: crowded.issue, limit: 1 })),
  history: await median(() => completions.history(crowded.issue, { limit: 10 })),
  enqueue: await median((nth) => inbox.enqueue([{ project: 'new', filename: `${nth}.md`, markdown: '' }])),
})

test('scale: [C-ALL-8] every list gives each record once, in constant memory', { timeout: longest }, async () => {
  const client = new pg.Client({ connectionString: filled.database.dsn })
  await client.connect()
  const before = heapInUse()
  let peak = 0
  let records = 0
  const wrong: string[] = []
  for (const [title, walk] of Object.entries(walks)) {
    const expected = await expectedTally(client, walk)
    const walked = await walkAll(filled.backend, walk)
    if (walked.count !== expected.count || walked.sum !== expected.sum)
      wrong.push(`${title}: ${walked.count} instead of ${expected.count}`)
    peak = Math.max(peak, walked.peak)
    records += walked.count
  }
  await client.end()
  report('scale, lists', {
    lists: Object.keys(walks).length,
    records,
    wrong: wrong.length,
    heap_growth_kib: Math.round((peak - before) / 1024),
  })
  expect(wrong).toEqual([])
  expect(peak - before).toBeLessThan(mostGrowth)
})

/**
 * Of so few tasks one that is asked for several keys of several kinds reads them all at once; among many it does not. Their
 * plans go by the statistics, so this comes before anything is changed there.
 */
const amongFew = hotStatements(small).filter(({ name }) => name !== 'displaceTasks')

test.each([
  'nexus_inbox_queue_pending',
  'nexus_inbox_queue_unkeyed',
  'nexus_completions_issue',
  'nexus_completions_project_newest',
  'nexus_task_files_name',
])('scale: tables without %s are caught', async (index) => {
  const { dsn } = little.database
  await using whole = await openExplainer(dsn, 'force_generic_plan')
  expect(await excess(whole, amongFew)).toEqual([])
  await using explainer = await openExplainer(dsn, 'force_generic_plan', index)
  const wrong = await excess(explainer, amongFew)
  report('scale, planted', { without: index, wrong: wrong.length })
  expect(wrong).not.toEqual([])
})

test('scale: no statement looks at more rows because there are more', { timeout: longest }, async () => {
  const statements = hotStatements(full)
  const wrong: string[] = []
  for (const mode of ['force_generic_plan', 'force_custom_plan'] as const) {
    await using explainer = await openExplainer(filled.database.dsn, mode)
    wrong.push(...(await excess(explainer, statements)))
  }
  const [few, many] = [await mediansOf(little), await mediansOf(filled)]
  const medians = Object.keys(many).map((verb) => [`${verb}_ms`, `${few[verb]}->${many[verb]}`])
  report('scale, plans', { statements: statements.length, wrong: wrong.length, ...Object.fromEntries(medians) })
  expect(wrong).toEqual([])
})
