import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { recordOf } from './records.ts'

/** Completions of one call. */
const page = 1_000
const writers = 8

const completions = (from: number) => Array.from({ length: page }, (_, n) => recordOf('completions', from + n))

const sync = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  await handle.sync()
  await handle.close()
}

const inParallel = async <T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> => {
  const left = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: writers }, worker))
}

/** A file for each completion in a folder for each issue, on the disk before its name, and each folder synced once. */
const writePage = async (root: string, from: number): Promise<void> => {
  const folders = new Set<string>()
  await inParallel(completions(from), async (record) => {
    const temp = join(root, '.tmp', record.dedupKey)
    const path = join(root, record.issueNumber, `${record.agentType}.json`)
    const handle = await open(temp, 'wx')
    await handle.writeFile(JSON.stringify(record))
    await handle.sync()
    await handle.close()
    await mkdir(dirname(path), { recursive: true })
    folders.add(dirname(path))
    await rename(temp, path)
  })
  await inParallel(folders, sync)
  await sync(root)
}

const perSecond = async (amount: number, work: () => Promise<unknown>): Promise<number> => {
  const since = performance.now()
  await work()
  return Math.round((amount * 1000) / (performance.now() - since))
}

const inPages = async (amount: number, work: (from: number) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < amount; from += page) await work(from)
}

const readAll = async (root: string): Promise<void> => {
  const issues = (await readdir(root)).filter((name) => !name.startsWith('.'))
  await inParallel(issues, async (issue) => {
    for (const name of await readdir(join(root, issue))) JSON.parse(await readFile(join(root, issue, name), 'utf8'))
  })
}

/** Completions per second. */
export interface BulkRates {
  read: number
  write: number
}

/** What nobody writes so many completions to files faster than, durably, and reads them again. */
export const rawFileRates = async (folder: string, amount: number): Promise<BulkRates> => {
  await mkdir(join(folder, '.tmp'), { recursive: true })
  const write = await perSecond(amount, () => inPages(amount, (from) => writePage(folder, from)))
  return { write, read: await perSecond(amount, () => readAll(folder)) }
}

/** In the types of the columns, with the indexes that the table has. */
const plainTable = `CREATE TABLE plain_completions (id serial PRIMARY KEY, dedup_key text UNIQUE, project text,
  issue_number text, agent_type text, status text, summary_text text, report_id text, data text, seq bigint,
  created_at timestamptz, updated_at timestamptz)`
const plainWrite = `INSERT INTO plain_completions (dedup_key, project, issue_number, agent_type, status, summary_text,
    report_id, data, seq, created_at, updated_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::timestamptz[], $11::timestamptz[])`
const fields = [
  'dedupKey',
  'project',
  'issueNumber',
  'agentType',
  'status',
  'summary',
  'reportId',
  'data',
  'seq',
  'createdAt',
  'savedAt',
] as const

const plainRead = 'SELECT * FROM plain_completions WHERE id > $1 ORDER BY id LIMIT 1000'

/** One statement of a page after the other, into a table of their own, and out of it. */
export const plainRowRates = async (dsn: string, amount: number): Promise<BulkRates> => {
  const sql = new pg.Client({ connectionString: dsn })
  await sql.connect()
  try {
    await sql.query(plainTable)
    const writeRows = (from: number) => {
      const given = completions(from)
      const values = fields.map((field) => given.map((record) => record[field]))
      return sql.query({ text: plainWrite, name: 'write', values })
    }
    const write = await perSecond(amount, () => inPages(amount, writeRows))
    const readRows = (from: number) => sql.query({ text: plainRead, name: 'read', values: [from] })
    return { write, read: await perSecond(amount, () => inPages(amount, readRows)) }
  } finally {
    await sql.end()
  }
}
