import type { CallOptions } from './call.ts'
import type { CompletionStore } from './completion.ts'
import type { HostStateStore } from './host-state.ts'
import type { InboxStore } from './inbox.ts'
import type { Operations } from './operation.ts'
import type { Records } from './record.ts'
import type { TaskFileStore } from './task-file.ts'
import type { WorkflowStore } from './workflow.ts'

export const storeNames = ['workflows', 'completions', 'hostState', 'taskFiles', 'inbox'] as const
export type StoreName = (typeof storeNames)[number]

/**
 * Condition of the technology behind one store. `since` in epoch milliseconds. `movedTo`: the store went there for good, and
 * nothing else is wrong. [C-MOVE-7]
 */
export type Health = { status: 'ok' } | { status: 'down'; reason: string; since: number; movedTo?: string }

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
  /** Where it remembers what it applied: its host state and completions can fall back to a journal. */
  readonly operations?: Operations | undefined
  /** Whole records, for who moves or archives them. */
  readonly records?: Records | undefined
  /** Asks the technology now. Never throws. */
  health(store: StoreName, options?: CallOptions): Promise<Health>
}
