import {
  type Completion,
  type CompletionInput,
  dedupKey,
  type JournaledOperation,
  type JsonValue,
  projectDedupKey,
  type Rev,
} from '@nexus/core'
import type { JournalRecord } from './journal-record.ts'

/** A value of the host state as text, or null where it is known that there is none. */
export interface KnownState {
  text: string | null
  rev: Rev
  updatedAt: Date
}

export interface JournaledCompletion {
  slot: number
  record: Completion
}

/** What an unfinished outage of the root wrote so far. */
export interface JournalView {
  readonly generation: number
  /** The slot that comes next. */
  readonly next: number
  readonly bytes: number
  /** When its first operation was written, in epoch milliseconds. */
  readonly since: number | null
  readonly states: ReadonlyMap<string, KnownState>
  /** By project and dedup key; the latest saved last. */
  readonly completions: ReadonlyMap<string, JournaledCompletion>
}

export const identityOf = (input: CompletionInput): string => projectDedupKey(input)

const revOf = (id: string): Rev => `journal-${id}`

const completionOf = (
  { operation, at }: JournaledOperation & { operation: { kind: 'completion-save' } },
  former: Completion | undefined,
): Completion => {
  const { id, completion } = operation
  const savedAt = new Date(at)
  return {
    ...completion,
    dedupKey: dedupKey(completion),
    createdAt: former?.createdAt ?? savedAt,
    savedAt,
    rev: revOf(id),
    journaled: true,
  }
}

const isCompletion = (
  journaled: JournaledOperation,
): journaled is JournaledOperation & { operation: { kind: 'completion-save' } } =>
  journaled.operation.kind === 'completion-save'

/** The fold of one generation's slots, one by one. */
export interface Fold extends JournalView {
  readonly isSealed: boolean
  /** Null: the slot cannot be read. */
  add(record: JournalRecord | null, bytes: number): void
}

export const createFold = (generation: number): Fold => {
  const states = new Map<string, KnownState>()
  const completions = new Map<string, JournaledCompletion>()
  let [next, total, isSealed] = [1, 0, false]
  let since: number | null = null

  const addOperation = (journaled: JournaledOperation, value: JsonValue | undefined): void => {
    since ??= journaled.at
    if (isCompletion(journaled)) {
      const identity = identityOf(journaled.operation.completion)
      const record = completionOf(journaled, completions.get(identity)?.record)
      completions.delete(identity)
      completions.set(identity, { slot: next, record })
      return
    }
    const { operation } = journaled
    if (operation.kind === 'completion-save') return
    const made = operation.kind === 'state-save' ? operation.value : (value ?? null)
    states.set(operation.key, {
      text: JSON.stringify(made),
      rev: revOf(operation.id),
      updatedAt: new Date(journaled.at),
    })
  }

  return {
    generation,
    states,
    completions,
    get next() {
      return next
    },
    get bytes() {
      return total
    },
    get since() {
      return since
    },
    get isSealed() {
      return isSealed
    },
    add(record, bytes) {
      if (record?.kind === 'end') isSealed = true
      if (record?.kind === 'operation') addOperation(record.journaled, record.value)
      next += 1
      total += bytes
    },
  }
}
