import { describe, expect, test } from 'vitest'
import { openMemoryHarness } from '../src/memory/harness.ts'
import { plantedBugs } from '../src/planted/index.ts'
import { collectClauses, failingClauses } from '../src/planted/run.ts'
import { allSuites } from '../src/suites/index.ts'
import { recordSuites } from '../src/suites/records/index.ts'

const clauses = collectClauses([...allSuites, ...recordSuites])

test('the intact memory backend fails no clause', async () => {
  expect(await failingClauses(clauses, () => openMemoryHarness())).toEqual([])
})

describe('each planted bug fails a test of the clause it breaks', () => {
  for (const { clause, name, plant } of plantedBugs)
    test(`[${clause}] ${name}`, async () => {
      const cited = clauses.filter(({ id }) => id === clause)
      expect(await failingClauses(cited, () => openMemoryHarness(plant()))).not.toEqual([])
    })
})

test('every clause that the suites cite has a planted bug', () => {
  const planted = new Set(plantedBugs.map(({ clause }) => clause))
  expect([...new Set(clauses.map(({ id }) => id))].filter((id) => !planted.has(id))).toEqual([])
})

test('no two planted bugs have one name', () => {
  expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length)
})
