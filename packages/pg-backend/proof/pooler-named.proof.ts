import { allSuites, collectClauses, failingClauses } from '@nexus/testkit'
import { expect, test, vi } from 'vitest'
import type { RunStatement } from '../src/query.ts'
import type { Sessions } from '../src/session.ts'
import { usePostgres } from '../test/harness.ts'
import { usePooler } from './pooling.ts'
import { report } from './report.ts'

/** The planted bug: statements are always sent under their names, and no answer changes that. */
vi.mock('../src/query.ts', async (original) => {
  const createRunStatement =
    (client: Pick<Sessions, 'query'>): RunStatement =>
    async ({ name, text }, values, options = {}) =>
      (await client.query<never>(text, values, { ...options, name })).rows
  return { ...(await original<typeof import('../src/query.ts')>()), createRunStatement }
})

const pooler = usePooler()
const open = usePostgres({ reuse: true, way: (dsn) => ({ dsn: pooler().through(dsn), listenDsn: dsn }) })

test('pooler: a build that always names its statements is caught', async () => {
  const clauses = collectClauses(allSuites).filter(({ id }) => id.startsWith('C-STATE-'))
  // The second opening may fail already: its server connection has the first one's statements.
  const failing = await failingClauses(clauses, open).catch((error: Error) => [error.message])
  report('pooler, planted names', { failing: failing.length })
  expect(failing.join('\n')).toMatch(/prepared statement/)
})
