import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { crowdSql } from './crowd.ts'
import { type Database, migratedDatabase } from './database.ts'
import { openExplainer, type PlanMode } from './explain.ts'
import { excess, hotStatements, modules, slow } from './hot-statements.ts'

const size = { completions: 8000, tasks: 1500, projects: 1500, workflows: 4000, taskFiles: 4000 }
const statements = hotStatements(size)
const tables = ['workflows', 'completions', 'host_state', 'task_files', 'inbox_queue', 'applied', 'conflicts'].map(
  (name) => `nexus_${name}`,
)

/** Statistics are made when a test says so, never by the server on its own. */
const withoutAutovacuum = tables.map((table) => `ALTER TABLE ${table} SET (autovacuum_enabled = false);`).join(' ')

/** Without statistics the planner sorts what a filter selects rather than read it in order; the server soon makes some. */
const withoutLists = statements.filter(({ name }) => !/^(list|count|prune)/.test(name))

const modes: readonly PlanMode[] = ['force_generic_plan', 'force_custom_plan']

describe('no hot statement reads a table from end to end, or more rows where there are more', () => {
  let database: Database
  beforeAll(async () => {
    database = await migratedDatabase()
    await database.client.query(withoutAutovacuum + crowdSql(size), [], { timeoutMs: 60_000 })
  })
  afterAll(() => database[Symbol.asyncDispose]())

  test.each(modes)('before any statistics, %s', async (mode) => {
    await using explainer = await openExplainer(database.dsn, mode)
    expect(await excess(explainer, withoutLists)).toEqual([])
  })

  test.each(modes)('with fresh statistics, %s', async (mode) => {
    await database.client.query('VACUUM ANALYZE', [], { timeoutMs: 60_000 })
    await using explainer = await openExplainer(database.dsn, mode)
    expect(await excess(explainer, statements)).toEqual([])
  })
})

test('no hot statement reads more rows with the statistics of tables that were empty', async () => {
  await using database = await migratedDatabase()
  await database.client.query(withoutAutovacuum)
  await database.client.query('VACUUM ANALYZE')
  await database.client.query(crowdSql(size), [], { timeoutMs: 60_000 })
  await using explainer = await openExplainer(database.dsn, 'force_generic_plan')
  expect(await excess(explainer, withoutLists)).toEqual([])
})

test('every statement of the sources is among those that are looked at', () => {
  const named = new Set(statements.map(({ name }) => name.split(/[ ,]/)[0]))
  const exported = Object.values(modules).flatMap((module) =>
    Object.entries(module)
      .filter(
        ([name, value]) =>
          (typeof value === 'object' && value !== null && 'text' in value) || /^(list|page)[A-Z]/.test(name),
      )
      .map(([name]) => name),
  )
  expect(exported.filter((name) => !named.has(name) && !slow.includes(name))).toEqual([])
})
