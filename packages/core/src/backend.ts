import type { CompletionStore } from './completion.ts'
import type { HostStateStore } from './host-state.ts'
import type { InboxStore } from './inbox.ts'
import type { TaskFileStore } from './task-file.ts'
import type { WorkflowStore } from './workflow.ts'

/** Options every store call takes. */
export interface CallOptions {
  /** Ends the wait; what was already sent may still happen. */
  signal?: AbortSignal | undefined
}

export const storeNames = ['workflows', 'completions', 'hostState', 'taskFiles', 'inbox'] as const
export type StoreName = (typeof storeNames)[number]

/**
 * An opaque string that names content: any change by any program changes it, and a value that changed and changed back
 * is the value that was read. [C-ALL-4]
 */
export type Rev = string

/** A guarded write: saved, or refused because the content is no longer what the caller saw. */
export type SaveResult = { status: 'saved'; rev: Rev } | { status: 'conflict'; current: Rev | null }

export type DeleteResult = { status: 'deleted' } | { status: 'absent' } | { status: 'conflict'; current: Rev }

/**
 * `ifRev` absent: whatever is there. A rev: only if the content is still that. Null: only if there is none.
 * [C-ALL-4]
 */
export interface Guard {
  ifRev?: Rev | null | undefined
}

/** Condition of the technology behind one store. `since` in epoch milliseconds. */
export type Health = { status: 'ok' } | { status: 'down'; reason: string; since: number }

/** What differs between backends and may be seen. The suites test each both ways: supported works, unsupported is refused. */
export interface Capabilities {
  /** Several hosts can share it. */
  manyHosts: boolean
  /** Agents' summary files beside the store are imported by `completions.scan`. */
  mailbox: boolean
}

export interface Stores {
  workflows: WorkflowStore
  completions: CompletionStore
  hostState: HostStateStore
  taskFiles: TaskFileStore
  inbox: InboxStore
}

/** A set of stores on one technology. The router is itself one, made of others. [C-ALL-11] */
export interface Backend extends Stores, AsyncDisposable {
  /** `filesystem`, `postgres`, `memory`, or the router's `routed`. */
  readonly name: string
  readonly capabilities: Capabilities
  /** Asks the technology now. Never throws. */
  health(store: StoreName, options?: CallOptions): Promise<Health>
}
