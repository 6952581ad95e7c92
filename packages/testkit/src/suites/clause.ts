import { test } from 'vitest'
import type { Harness, OpenHarness } from '../harness.ts'

/** One test of one clause of docs/contract.md, on a fresh backend. */
export const createClause =
  (open: OpenHarness) =>
  (id: string, title: string, run: (harness: Harness) => Promise<void>): void => {
    test(`[${id}] ${title}`, async () => {
      await using harness = await open()
      await run(harness)
    })
  }

export type Clause = ReturnType<typeof createClause>

/** Registers the clauses of one verb or theme. */
export type Suite = (clause: Clause) => void
