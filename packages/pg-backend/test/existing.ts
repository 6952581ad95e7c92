import type { Backend, Page, PageRequest } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { type ExistingDatabase, type ExistingRow, fillDatabase, rowDigests } from '@nexus/testkit/existing'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import pg from 'pg'
import { openPgBackend } from '../src/backend.ts'

export interface ExistingPlace extends AsyncDisposable {
  dsn: string
  /** Plain SQL, as another program has it. */
  query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>
  open(): Promise<Backend>
}

/** A database of its own with the fixture in it. */
export const existingPlace = async (fixture: ExistingDatabase): Promise<ExistingPlace> => {
  const database = await freshDatabase(await testDsn())
  const pool = new pg.Pool({ connectionString: database.dsn, max: 1 })
  pool.on('error', () => {})
  const query: ExistingPlace['query'] = async (text, values) => {
    const result = await pool.query<Record<string, unknown>>(text, values)
    return { rows: result.rows }
  }
  await fillDatabase(query, fixture)
  return {
    dsn: database.dsn,
    query,
    open: () => openPgBackend({ dsn: database.dsn, maxConnections: 3, timeoutMs: 10_000, ...createFakes().context }),
    async [Symbol.asyncDispose]() {
      await pool.end()
      await database[Symbol.asyncDispose]()
    },
  }
}

export const rowsOf = ({ rows }: ExistingDatabase, table: string): ExistingRow[] =>
  rows.filter((row) => row.table === table)

export const tablesOf = ({ rows, foreign }: ExistingDatabase): string[] =>
  [...new Set(rows.map(({ table }) => table))].filter((table) => !foreign.includes(table))

export type Digests = Map<string, Map<string, string>>

/** What must stay: the documented columns of every row of ours, and everything of the tables that are not. */
export const digestsOf = async (
  { query }: ExistingPlace,
  tables: readonly string[],
  foreign: readonly string[],
): Promise<Digests> => {
  const digests: Digests = new Map()
  for (const table of tables) digests.set(table, await rowDigests(query, table))
  for (const table of foreign) digests.set(table, await rowDigests(query, table, ['*']))
  return digests
}

/** `table/key` of what was there before and is not the same now. */
export const changedIn = (before: Digests, after: Digests): string[] =>
  [...before].flatMap(([table, rows]) =>
    [...rows]
      .filter(([key, digest]) => after.get(table)?.get(key) !== digest)
      .map(([key]) => `${table.replace('nexus_', '')}/${key}`),
  )

/** Every record of a list, in pages so small that there are several. */
export const allOf = async <T>(page: (request: PageRequest) => Promise<Page<T>>): Promise<Omit<Page<T>, 'cursor'>> => {
  const all: Omit<Page<T>, 'cursor'> = { items: [], corrupt: [] }
  let cursor: string | null | undefined
  do {
    const { items, corrupt, cursor: next } = await page({ limit: 2, ...(cursor ? { cursor } : {}) })
    all.items.push(...items)
    all.corrupt.push(...corrupt)
    cursor = next
  } while (cursor)
  return all
}
