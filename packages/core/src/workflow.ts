import { z } from 'zod'
import type { CallOptions } from './call.ts'
import type { Count } from './count.ts'
import type { JsonObject } from './json.ts'
import { JsonObjectDocument } from './json.ts'
import type { Page, PageRequest } from './page.ts'
import type { DeleteResult, Guard, Rev, SaveResult } from './rev.ts'
import { StorableText } from './text.ts'

/** What a caller saves. `data` is the full serialized workflow; the other fields are written into it alike. */
export const WorkflowInput = z.object({
  id: StorableText,
  name: StorableText,
  /** A known state, or the unknown one that the record already has. */
  state: StorableText,
  /** Index of the active step. */
  currentStep: z.int32(),
  project: StorableText.min(1).nullable().default(null),
  issueNumber: StorableText.min(1).nullable().default(null),
  data: JsonObjectDocument,
})
export type WorkflowInput = z.input<typeof WorkflowInput>

/** A stored workflow. `data` has the fields' values where a column and the document disagreed. [C-ALL-10] */
export interface Workflow {
  id: string
  name: string
  state: string
  currentStep: number
  project: string | null
  issueNumber: string | null
  data: JsonObject
  createdAt: Date
  updatedAt: Date
  rev: Rev
}

export interface WorkflowFilter extends PageRequest {
  state?: string | undefined
  project?: string | undefined
  /** Only those last changed before this. */
  updatedBefore?: Date | undefined
}

/** The workflow state machine's memory, one document per workflow (specification: `nexus_workflows`). */
export interface WorkflowStore {
  /**
   * Creates or replaces. The step from the present state must be in the transition table, else `invalid` and nothing is
   * written. `reopen` allows `completed` → `running`. [C-WORKFLOW-1..4]
   */
  save(workflow: WorkflowInput, options?: CallOptions & Guard & { reopen?: boolean }): Promise<SaveResult>

  /** The workflow, or null. Throws `corrupt`, with a rev, where the document cannot be read. */
  load(id: string, options?: CallOptions): Promise<Workflow | null>

  /** Newest created first. [C-WORKFLOW-5] */
  list(filter?: WorkflowFilter, options?: CallOptions): Promise<Page<Workflow>>

  delete(id: string, options?: CallOptions & { ifRev?: Rev }): Promise<DeleteResult>

  /** How many are in each state. Exact for live states, `{atLeast}` beyond 10,000 for terminal ones. [C-WORKFLOW-6] */
  counts(options?: CallOptions): Promise<Record<string, Count>>
}
