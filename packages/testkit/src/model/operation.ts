import fc from 'fast-check'
import type { Answer } from './answer.ts'
import type { Side } from './side.ts'

/** One step of a sequence: runs alike on every side. */
export interface Operation {
  verb: string
  run(side: Side): Promise<Answer>
}

export const projects = ['alpha', 'beta'] as const
/** Where other programs write too: what lies there has times of its own on each technology, so order is not compared. */
export const foreignProject = 'gamma'

export const anyProject = fc.constantFrom(...projects, foreignProject)
export const issues = ['7', '8'] as const
export const anyIssue = fc.constantFrom(...issues)

/** The backend, or another opening of the same data. */
export const anyActor = fc.nat(1)

export const pageLimits = fc.constantFrom(1, 1, 1, 2, 3)

/** For what happens more often than the rest. */
export const repeated = <T>(item: T | undefined, times: number): T[] =>
  item === undefined ? [] : Array.from({ length: times }, () => item)

/** An operation that prints as what it does with what, so that a failing sequence can be read. */
export const operation = <I>(
  verb: string,
  input: fc.Arbitrary<I>,
  run: (side: Side, input: I) => Promise<Answer>,
): fc.Arbitrary<Operation> =>
  input.map((given) => ({
    verb,
    run: (side: Side) => run(side, given),
    [fc.toStringMethod]: () => `${verb} ${JSON.stringify(given)}`,
  }))
