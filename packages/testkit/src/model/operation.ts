import fc from 'fast-check'
import type { Answer } from './answer.ts'
import type { Side } from './side.ts'

/** One step of a sequence: runs alike on every side, and prints as the line that `readOperation` reads. */
export interface Operation {
  verb: string
  run(side: Side): Promise<Answer>
}

/** What may be done, how often beside the rest, and with what. */
export interface OperationKind {
  verb: string
  arbitrary: fc.Arbitrary<Operation>
  weight: number
  /** From the JSON that an operation of this kind prints as. */
  read(json: string): Operation
}

interface OperationParts<I> {
  verb: string
  weight: number
  /** JSON alone: what JSON cannot hold is made from a name when it runs. */
  input: fc.Arbitrary<I>
  run(side: Side, input: I): Promise<Answer>
}

export const operation = <I>({ verb, weight, input, run }: OperationParts<I>): OperationKind => {
  const read = (json: string) => ({
    verb,
    run: (side: Side) => run(side, JSON.parse(json)),
    [fc.toStringMethod]: () => `${verb} ${json}`,
  })
  return { verb, weight, read, arbitrary: input.map((given) => read(JSON.stringify(given))) }
}

const linePattern = /^(.*?) (\{.*\})$/

/** The sequence that was printed, one operation a line. */
export const readSequence = (text: string, kinds: readonly OperationKind[]): Operation[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [, verb = line, json = ''] = linePattern.exec(line) ?? []
      const kind = kinds.find((candidate) => candidate.verb === verb)
      if (!kind) throw new Error(`The model knows no operation "${verb}".`)
      return kind.read(json)
    })

export const projects = ['alpha', 'beta'] as const
/** Where other programs write too: what lies there has times of its own on each technology, so order is not compared. */
export const foreignProject = 'gamma'

export const anyProject = fc.constantFrom(...projects, foreignProject)
export const issues = ['7', '8'] as const
export const anyIssue = fc.constantFrom(...issues)

/** Of the openings of the same data. */
export const actors = 3
export const anyActor = fc.nat(actors - 1)

export const pageLimits = fc.constantFrom(1, 1, 1, 2, 3)

/** Mostly one of these, and once in so many times one of those. */
export const seldom = <T>(
  usual: fc.Arbitrary<T>,
  rare: fc.Arbitrary<T>,
  { onceIn }: { onceIn: number },
): fc.Arbitrary<T> => fc.oneof({ arbitrary: usual, weight: onceIn - 1 }, { arbitrary: rare, weight: 1 })
