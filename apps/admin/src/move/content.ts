import { createHash } from 'node:crypto'
import { compactJson, type StoreName, type StoreRecords } from '@nexus/core'

type Part = string | number | boolean | null

const timeOf = (date: Date | null): number | null => date?.getTime() ?? null

const parts: { readonly [S in StoreName]: (record: StoreRecords[S]) => readonly Part[] } = {
  workflows: (workflow) => [
    workflow.id,
    workflow.name,
    workflow.state,
    workflow.currentStep,
    workflow.project,
    workflow.issueNumber,
    compactJson(workflow.data),
    timeOf(workflow.createdAt),
    timeOf(workflow.updatedAt),
  ],
  completions: (completion) => [
    completion.dedupKey,
    completion.project,
    completion.issueNumber,
    completion.agentType,
    completion.status,
    completion.summary,
    completion.reportId,
    compactJson(completion.data),
    completion.seq,
    timeOf(completion.createdAt),
    timeOf(completion.savedAt),
  ],
  hostState: ({ key, data, updatedAt }) => [key, compactJson(data), timeOf(updatedAt)],
  taskFiles: (file) => [
    file.project,
    file.filename,
    file.state,
    file.content,
    file.issueNumber,
    timeOf(file.createdAt),
    timeOf(file.updatedAt),
  ],
  inbox: (task) => [
    task.id,
    task.project,
    task.workspace,
    task.filename,
    task.markdown,
    task.status,
    task.priority,
    timeOf(task.runAt),
    task.attempts,
    task.recoveries,
    task.maxAttempts,
    task.idempotencyKey,
    task.issueNumber,
    task.error,
    task.cancelRequested,
    timeOf(task.createdAt),
    timeOf(task.processedAt),
    task.epoch,
    // How long the lease lasts says nothing of the task: it begins anew where it is written.
    task.hold?.worker ?? null,
    task.hold?.bound ?? null,
  ],
}

/** All of a record that must be equal on both sides, as one text: times in milliseconds, JSON without white space that says nothing. */
export const contentOf = <S extends StoreName>(store: S, record: StoreRecords[S]): string =>
  JSON.stringify(parts[store](record))

/** The members in which two records of one key differ, for people. */
export const differingMembers = <S extends StoreName>(
  store: S,
  one: StoreRecords[S],
  other: StoreRecords[S],
): string[] => {
  const [ours, theirs] = [one, other].map((record) => new Map<string, unknown>(Object.entries(record)))
  return [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])].filter((member) => {
    const swapped = { ...one, [member]: theirs?.get(member) }
    return contentOf(store, swapped) !== contentOf(store, one)
  })
}

const size = 2n ** 256n

/** Whether a whole store is equal to another, without its order: the sum of its records' sha256. */
export interface Digest {
  add(content: string): void
  /** 64 hexadecimal digits. */
  text(): string
}

export const createDigest = (): Digest => {
  let sum = 0n
  return {
    add(content) {
      const hash = createHash('sha256').update(content).digest('hex')
      sum = (sum + BigInt(`0x${hash}`)) % size
    },
    text: () => sum.toString(16).padStart(64, '0'),
  }
}
