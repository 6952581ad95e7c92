import { z } from 'zod'
import type { CallOptions } from './call.ts'
import type { JsonObject } from './json.ts'
import { JsonObjectDocument } from './json.ts'
import type { Page, PageRequest } from './page.ts'
import type { DeleteResult, Rev } from './rev.ts'
import { StorableText } from './text.ts'

/** Outcomes an agent may report (specification: `status`). */
export const completionStatuses = ['complete', 'in-progress', 'blocked'] as const
export type CompletionStatus = (typeof completionStatuses)[number]

export const CompletionInput = z.object({
  project: StorableText,
  issueNumber: StorableText,
  agentType: StorableText,
  status: z.enum(completionStatuses),
  /** One line. */
  summary: StorableText,
  /** The report as the agent gave it, kept verbatim. */
  payload: JsonObjectDocument,
  /** Which run of the agent reports: its attempt id, or what the intake assigned. Null where nobody knows. */
  reportId: StorableText.nullable(),
})
export type CompletionInput = z.input<typeof CompletionInput>

export interface Completion {
  /** Null for a record by a program that does not know projects, until somebody assigns it. */
  project: string | null
  issueNumber: string
  agentType: string
  /** One of `completionStatuses`, or what another program wrote. */
  status: string
  summary: string
  payload: JsonObject
  reportId: string | null
  dedupKey: string
  createdAt: Date
  /** When it was last written; order among completions is by saving, not by this. */
  savedAt: Date
  /** Names this saving of it: another report, or any change by any program, changes it. */
  rev: Rev
  /** Read from the journal: when that is applied, it gets another rev. [C-ROUTE-9] */
  journaled?: true
}

export type CompletionSaveResult = {
  status: 'created' | 'updated' | 'unchanged'
  /** Of a journaled save: the one it will have unless another project has it. */
  dedupKey: string
  /** Its backend is down; the report is safe in the journal and will be applied. [C-ROUTE-9] */
  journaled?: true
}

export interface ScanFilter extends PageRequest {
  issueNumber?: string | undefined
  /** Null: only records without a project. */
  project?: string | null | undefined
}

/** What agents reported (specification: `nexus_completions`). Identity: (project, issue, agent, status). */
export interface CompletionStore {
  /**
   * Same key, payload, summary and report id: `unchanged`, nothing written. Otherwise `created`, or `updated` and newest
   * again. Never refused for what another project reported. [C-COMPLETION-1..5]
   */
  save(completion: CompletionInput, options?: CallOptions): Promise<CompletionSaveResult>

  /** The latest saved per (project, issue), latest first. [C-COMPLETION-6] */
  scan(filter?: ScanFilter, options?: CallOptions): Promise<Page<Completion>>

  /** Every key's record of an issue, latest saved first. [C-COMPLETION-7] */
  history(
    issueNumber: string,
    filter?: PageRequest & { project?: string | null | undefined },
    options?: CallOptions,
  ): Promise<Page<Completion>>

  /**
   * Gives a record without a project to one. Its dedup key stays as it is; `taken` where the project already has a
   * record of that identity. [C-COMPLETION-8]
   */
  assign(
    dedupKey: string,
    project: string,
    options?: CallOptions,
  ): Promise<{ status: 'assigned' | 'absent' | 'taken' } | { status: 'owned'; project: string }>

  delete(dedupKey: string, options?: CallOptions & { ifRev?: Rev }): Promise<DeleteResult>
}
