import { describe } from 'vitest'
import type { BackendUnderTest } from './harness.ts'
import { createClause } from './suites/clause.ts'
import { allSuites } from './suites/index.ts'
import { recordSuites } from './suites/records/index.ts'

/** A backend's whole conformance test: every suite, on a fresh backend for each clause. */
export const testBackend = ({ name, open }: BackendUnderTest): void => {
  describe(name, () => {
    const clause = createClause(open)
    for (const suite of allSuites) suite(clause)
  })
}

/** The same for its whole records. */
export const testRecords = ({ name, open }: BackendUnderTest): void => {
  describe(`${name}, whole records`, () => {
    const clause = createClause(open)
    for (const suite of recordSuites) suite(clause)
  })
}
