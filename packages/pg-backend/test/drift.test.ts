import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Catalog, readCatalog } from './catalog.ts'
import { emptyDatabase, migratedDatabase } from './database.ts'
import { loadSchemaEngine, sqlOfSchema } from './schema-sql.ts'

const schema = await readFile(new URL('../../../prisma/schema.prisma', import.meta.url), 'utf8')
const engine = await loadSchemaEngine()
const tables = ['nexus_completions', 'nexus_host_state', 'nexus_inbox_queue', 'nexus_task_files', 'nexus_workflows']

const catalogOfSchema = async (content: string) => {
  await using database = await emptyDatabase()
  await database.client.query(await sqlOfSchema(engine, content, database.dsn))
  return await readCatalog(database.client, tables)
}

describe('[C-PG-4] schema.prisma and the migrations', () => {
  let actual: Catalog
  beforeAll(async () => {
    await using database = await migratedDatabase()
    actual = await readCatalog(database.client, tables)
  })

  test('say the same of the five tables', async () => {
    expect(new Set(actual.columns.map((column) => column['table']))).toEqual(new Set(tables))
    expect(await catalogOfSchema(schema)).toEqual(actual)
  })

  test.each([
    ['another type', 'claimEpoch      Int ', 'claimEpoch      BigInt '],
    ['another default', '@default("pending")', '@default("waiting")'],
    ['another nullability', 'project     String?', 'project     String'],
    ['another name', '@map("lease_expires_at")', '@map("lease_until")'],
    ['a missing unique', 'String   @unique @map("dedup_key")', 'String   @map("dedup_key")'],
    [
      'another order of an index',
      'createdAt(sort: Desc), id(sort: Desc)], map: "nexus_workflows_newest"',
      'createdAt, id(sort: Desc)], map: "nexus_workflows_newest"',
    ],
  ])('are found to differ by %s', async (_, from, to) => {
    expect(schema).toContain(from)
    expect(await catalogOfSchema(schema.replace(from, to))).not.toEqual(actual)
  })
})
