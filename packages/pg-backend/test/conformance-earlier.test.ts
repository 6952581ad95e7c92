import { allSuites, type Clause, inboxSuites } from '@nexus/testkit'
import { describe, test } from 'vitest'
import { earlierTables } from './earlier.ts'
import { usePostgres } from './harness.ts'

describe('postgres, over tables of the earlier implementation', () => {
  const open = usePostgres({ before: earlierTables, reuse: true })
  const clause: Clause = (id, title, run) =>
    test(`[${id}] ${title}`, async () => {
      await using harness = await open()
      await run(harness)
    })
  for (const suite of allSuites) if (!inboxSuites.includes(suite)) suite(clause)
})
