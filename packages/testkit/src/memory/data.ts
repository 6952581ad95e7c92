import { randomUUID } from 'node:crypto'
import type { Moved, StoreName } from '@nexus/core'
import { createMemoryInboxData, type MemoryInboxData } from './inbox-data.ts'

/** A row of `nexus_workflows`; null where a program that knows less left a column out. */
export interface WorkflowRow {
  id: string
  name: string | null
  state: string | null
  currentStep: number | null
  text: string
  createdAt: Date
  updatedAt: Date | null
}

export interface CompletionRow {
  /** Grows with every saving; null for one older than that order. */
  seq: number | null
  project: string | null
  issueNumber: string
  agentType: string
  status: string
  summary: string
  text: string
  reportId: string | null
  dedupKey: string
  createdAt: Date
  savedAt: Date
}

export interface HostStateRow {
  text: string
  updatedAt: Date
}

export interface TaskFileRow {
  id: number
  project: string
  filename: string
  content: string
  issueNumber: string | null
  state: string
  createdAt: Date
  updatedAt: Date
}

/** Unreadable content that was replaced. */
interface KeptCopy {
  place: string
  text: string
}

/** What stays when every opening is closed: the memory backend's disk. Rows are replaced, never changed in place. */
export interface MemoryData {
  workflows: Map<string, WorkflowRow>
  completions: Map<string, CompletionRow>
  hostState: Map<string, HostStateRow>
  taskFiles: Map<number, TaskFileRow>
  inbox: MemoryInboxData
  kept: KeptCopy[]
  moved: Map<StoreName, Moved>
  /** Names it among all. */
  identity: string
  /** The next number of a sequence. */
  next(): number
  /** From now on the next number is greater than this one. */
  passOver(number: number): void
}

export const createMemoryData = (): MemoryData => {
  let sequence = 0
  return {
    workflows: new Map(),
    completions: new Map(),
    hostState: new Map(),
    taskFiles: new Map(),
    inbox: createMemoryInboxData(),
    kept: [],
    moved: new Map(),
    identity: randomUUID(),
    next: () => ++sequence,
    passOver(number) {
      sequence = Math.max(sequence, number)
    },
  }
}
