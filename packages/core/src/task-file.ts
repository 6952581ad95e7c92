import { z } from 'zod'
import type { CallOptions } from './call.ts'
import type { Page, PageRequest } from './page.ts'
import type { DeleteResult, Guard, Rev, SaveResult } from './rev.ts'
import { StorableText } from './text.ts'

export const TaskFileInput = z.object({
  project: StorableText,
  filename: StorableText,
  /** Markdown, kept byte for byte. */
  content: StorableText,
  /** Absent: as it was. */
  issueNumber: StorableText.nullable().optional(),
})
export type TaskFileInput = z.input<typeof TaskFileInput>

export interface TaskFile {
  project: string
  filename: string
  content: string
  issueNumber: string | null
  /** `active` or `closed`, or what another program wrote. */
  state: string
  createdAt: Date
  updatedAt: Date
  rev: Rev
}

export interface TaskFileFilter extends PageRequest {
  project?: string | undefined
  state?: string | undefined
  issueNumber?: string | undefined
}

/** The name may have changed: a name that is taken there becomes `name~2.md`. */
export type MoveResult = { status: 'moved' | 'already'; filename: string } | { status: 'absent' }

/** Markdown task files (specification: `nexus_task_files`). Identity: (project, filename). */
export interface TaskFileStore {
  /** Creates it as active, or replaces the content where it is. [C-TASK-1] */
  save(file: TaskFileInput, options?: CallOptions & Guard): Promise<SaveResult>

  /** Of duplicates that others made: active before closed, then newest. [C-TASK-2] */
  load(project: string, filename: string, options?: CallOptions): Promise<TaskFile | null>

  /** Newest created first; duplicates all listed. [C-TASK-3] */
  list(filter?: TaskFileFilter, options?: CallOptions): Promise<Page<TaskFile>>

  /** To `closed`: idempotent, never overwriting. [C-TASK-4] */
  close(project: string, filename: string, options?: CallOptions): Promise<MoveResult>

  /** Back to `active`: idempotent, never overwriting. [C-TASK-4] */
  reopen(project: string, filename: string, options?: CallOptions): Promise<MoveResult>

  delete(project: string, filename: string, options?: CallOptions & { ifRev?: Rev }): Promise<DeleteResult>
}

/** The n-th name tried for a file whose name is taken: `task.md`, `task~2.md`, `task~3.md`. */
export const siblingName = (filename: string, n: number): string => {
  if (n < 2) return filename
  const dot = filename.lastIndexOf('.')
  return dot > 0 ? `${filename.slice(0, dot)}~${n}${filename.slice(dot)}` : `${filename}~${n}`
}
