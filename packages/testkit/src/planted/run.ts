import type { Harness, OpenHarness } from '../harness.ts'
import type { Suite } from '../suites/clause.ts'

export interface CollectedClause {
  id: string
  title: string
  run(harness: Harness): Promise<void>
}

/** The suites' clauses as data, instead of as tests. */
export const collectClauses = (suites: readonly Suite[]): CollectedClause[] => {
  const clauses: CollectedClause[] = []
  for (const suite of suites) suite((id, title, run) => void clauses.push({ id, title, run }))
  return clauses
}

/** The titles of the clauses that fail over this backend. */
export const failingClauses = async (clauses: readonly CollectedClause[], open: OpenHarness): Promise<string[]> => {
  const failing: string[] = []
  for (const { id, title, run } of clauses) {
    await using harness = await open()
    await run(harness).catch((error: unknown) => {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
      failing.push(`[${id}] ${title} (${reason})`)
    })
  }
  return failing
}
