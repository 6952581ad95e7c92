import { describe } from 'vitest'
import type { BackendUnderTest } from './harness.ts'
import { createClause } from './suites/clause.ts'
import { allSuites } from './suites/index.ts'

/** A backend's whole conformance test: every suite, on a fresh backend for each clause. */
export const testBackend = ({ name, open }: BackendUnderTest): void => {
  describe(name, () => {
    const clause = createClause(open)
    for (const suite of allSuites) suite(clause)
  })
}
