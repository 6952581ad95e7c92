import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Backend, Page, PageRequest } from '@nexus/core'
import type pg from 'pg'
import { crowded } from '../test/crowd.ts'

/** How many records, and a sum over their names: what appears twice or not at all changes one of them. */
export interface Tally {
  count: number
  sum: bigint
}

interface Walk {
  list: (backend: Backend, page: PageRequest) => Promise<Page<string>>
  /** The names of the same records, by SQL that shares nothing with ours. */
  expected: string
}

const named = async <T>(page: Promise<Page<T>>, name: (item: T) => string): Promise<Page<string>> => {
  const { items, ...rest } = await page
  return { ...rest, items: items.map(name) }
}

const { project, issue } = crowded

const latest = (where: string): string =>
  `SELECT DISTINCT ON (project, issue_number) dedup_key AS name FROM nexus_completions WHERE ${where}
   ORDER BY project, issue_number, seq DESC NULLS LAST`

const completionWalks: Record<string, Walk> = Object.fromEntries(
  [
    { title: 'scan', filter: {}, where: 'true' },
    { title: 'scan of an issue', filter: { issueNumber: issue }, where: `issue_number = '${issue}'` },
    { title: 'scan of a project', filter: { project }, where: `project = '${project}'` },
    { title: 'scan of no project', filter: { project: null }, where: 'project IS NULL' },
  ].map(({ title, filter, where }) => [
    title,
    {
      list: (backend, page) => named(backend.completions.scan({ ...filter, ...page }), ({ dedupKey }) => dedupKey),
      expected: latest(where),
    } satisfies Walk,
  ]),
)

/** Every list, by each of its filters. */
export const walks: Record<string, Walk> = {
  ...completionWalks,
  history: {
    list: (backend, page) => named(backend.completions.history(issue, page), ({ dedupKey }) => dedupKey),
    expected: `SELECT dedup_key AS name FROM nexus_completions WHERE issue_number = '${issue}'`,
  },
  workflows: {
    list: (backend, page) => named(backend.workflows.list(page), ({ id }) => id),
    expected: 'SELECT id AS name FROM nexus_workflows',
  },
  'workflows of a project': {
    list: (backend, page) => named(backend.workflows.list({ ...page, project }), ({ id }) => id),
    expected: `SELECT id AS name FROM nexus_workflows WHERE data::json ->> 'project' = '${project}'`,
  },
  'task files': {
    list: (backend, page) => named(backend.taskFiles.list(page), (file) => `${file.project}/${file.filename}`),
    expected: `SELECT project || '/' || filename AS name FROM nexus_task_files`,
  },
  'closed task files of a project': {
    list: (backend, page) =>
      named(backend.taskFiles.list({ ...page, project, state: 'closed' }), ({ filename }) => filename),
    expected: `SELECT filename AS name FROM nexus_task_files WHERE project = '${project}' AND state = 'closed'`,
  },
  inbox: {
    list: (backend, page) => named(backend.inbox.list(page), ({ id }) => id),
    expected: 'SELECT id::text AS name FROM nexus_inbox_queue',
  },
  'done tasks': {
    list: (backend, page) => named(backend.inbox.list({ ...page, status: 'done' }), ({ id }) => id),
    expected: `SELECT id::text AS name FROM nexus_inbox_queue WHERE status = 'done'`,
  },
}

/** Twelve hexadecimal digits, which both sides know as a number. */
const weigh = (name: string): bigint => BigInt(`0x${createHash('md5').update(name).digest('hex').slice(0, 12)}`)

export const expectedTally = async (client: pg.Client, { expected }: Walk): Promise<Tally> => {
  const { rows } = await client.query<{ count: string; sum: string | null }>(
    `SELECT count(*), sum(('x' || substr(md5(w.name), 1, 12))::bit(48)::bigint) AS sum FROM (${expected}) AS w`,
  )
  return { count: Number(rows[0]?.count), sum: BigInt(rows[0]?.sum ?? 0) }
}

/** Bytes in use after everything that nobody holds is gone. */
export const heapInUse = (): number => {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

/** Page by page to the end, and the most memory that was in use on the way. */
export const walkAll = async (backend: Backend, { list }: Walk): Promise<Tally & { peak: number }> => {
  const tally = { count: 0, sum: 0n, peak: 0 }
  let cursor: string | null | undefined
  for (let pages = 0; cursor !== null; pages += 1) {
    const page: Page<string> = await list(backend, { limit: 500, ...(cursor !== undefined && { cursor }) })
    for (const name of page.items) tally.sum += weigh(name)
    tally.count += page.items.length
    cursor = page.cursor
    if (pages % 50 === 49 || cursor === null) tally.peak = Math.max(tally.peak, heapInUse())
  }
  return tally
}
