import type { Observation } from './observe.ts'
import { operationsOf, type Value } from './operations.ts'

/** What the acknowledgements and the store, held against each other, amount to. */
export interface Verdict {
  acked: number
  lost: number
  dup: number
  torn: number
  order: number
  /** Each fault in words. */
  faults: string[]
}

interface Expected {
  /** What the record may be now. */
  allowed: Set<Value>
  /** What it ever may have been. */
  tried: Set<Value>
}

/** Reads a writer's log: what each record must be, or may be where a call had no answer. */
const expectationsOf = (root: string, log: readonly string[]): { acked: number; expected: Map<string, Expected> } => {
  const expected = new Map<string, Expected>()
  let acked = 0
  const operations = new Map<string, ReturnType<typeof operationsOf>[number]>()
  for (const line of log) {
    const [verb = '', round = '', ...rest] = line.split(' ')
    const [name, answer = ''] = rest.join(' ').split(' = ')
    const id = `${round} ${name}`
    if (!operations.has(id))
      for (const operation of operationsOf(root, Number(round))) operations.set(operation.id, operation)
    const operation = operations.get(id)
    if (!operation) continue
    if (verb === 'ACK') acked += 1
    for (const [record, value] of Object.entries(operation.sets)) {
      const known = expected.get(record) ?? { allowed: new Set<Value>([null]), tried: new Set<Value>([null]) }
      expected.set(record, known)
      known.tried.add(value)
      if (verb === 'TRY') known.allowed = new Set([...known.allowed, value])
      else if (verb === 'ACK') known.allowed = new Set([value])
      else if (answer.endsWith('not-applied') && !operation.isRepeated) known.allowed.delete(value)
    }
  }
  return { acked, expected }
}

export const judge = (root: string, log: readonly string[], { records, corrupt }: Observation): Verdict => {
  const { acked, expected } = expectationsOf(root, log)
  const verdict: Verdict = { acked, lost: 0, dup: 0, torn: corrupt.length, order: 0, faults: [...corrupt] }
  const fault = (kind: 'lost' | 'dup' | 'torn' | 'order', words: string): void => {
    verdict[kind] += 1
    verdict.faults.push(`${kind}: ${words}`)
  }
  for (const [record, values] of records)
    if (!expected.has(record)) fault('torn', `${record} = ${values.join(', ')}, which nobody wrote`)
  for (const [record, { allowed, tried }] of expected) {
    const values = records.get(record) ?? []
    if (values.length > 1) fault('dup', `${record} = ${values.join(', ')}`)
    const value = values[0] ?? null
    if (allowed.has(value)) continue
    const isOrder = record.startsWith('latest/') || record.startsWith('mirror/')
    const kind = !tried.has(value) ? 'torn' : isOrder ? 'order' : 'lost'
    fault(kind, `${record} is ${value}, expected ${[...allowed].join(' or ')}`)
  }
  return verdict
}
