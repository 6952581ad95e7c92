import type { CallOptions } from './call.ts'
import type { CompletionInput, CompletionSaveResult } from './completion.ts'
import type { PatchResult, StatePatch } from './host-state.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { Page, PageRequest } from './page.ts'
import type { SaveResult } from './rev.ts'

/**
 * A write that has an id of its own, and applies once however often and on whatever path it is sent: directly, again
 * because its answer was lost, or from the journal. [C-ROUTE-10]
 */
export type Operation =
  | { id: string; kind: 'state-save'; key: string; value: JsonValue }
  | { id: string; kind: 'state-patch'; key: string; entries: JsonObject; remove: readonly string[] }
  | { id: string; kind: 'completion-save'; completion: CompletionInput }

export type StateOperation = Exclude<Operation, { kind: 'completion-save' }>

/**
 * What the writer knew of a key when it wrote: nothing, that there was none, or its value. Of a patch only the members
 * that it names are kept in `value`.
 */
export type StateBase = { known: 'nothing' } | { known: 'absent' } | { known: 'value'; value: JsonValue }

/** An operation that was acknowledged while its backend was down. */
export interface JournaledOperation {
  operation: Operation
  /** Epoch milliseconds of the writer's clock. */
  at: number
  /** It was sent to the backend before it was journaled, and may have been applied. */
  sent: boolean
  /** Of host state: what it was meant to change. `nothing` for completions. */
  base: StateBase
}

/**
 * `already`: its id was applied before, and nothing was done now. `conflict`: what could not be applied, of which a part
 * may have been, is kept with both values among the conflicts.
 */
export type ReplayResult = { status: 'applied' | 'already' | 'conflict' }

/** What a replay could not apply, kept until somebody decides. */
export interface Conflict {
  id: string
  store: 'hostState' | 'completions'
  /** The key, or the dedup key. */
  key: string
  /** The member of the object; null where the whole value is meant. */
  member: string | null
  /** What the writer saw, what it wrote, and what the replay found; undefined: nothing there. */
  base: JsonValue | undefined
  ours: JsonValue | undefined
  theirs: JsonValue | undefined
  reason: string
  at: Date
}

/** `ours` writes what the outage wrote; `theirs` leaves what is there. Either way the conflict is over. */
export type Resolution = 'ours' | 'theirs'

/**
 * A backend that remembers which operations it applied, in the same transaction as their effect. The reads of its host
 * state and completions keep to `timeoutMs` of `OperationOptions` too.
 */
export interface Operations {
  saveState(id: string, key: string, value: JsonValue, options?: OperationOptions): Promise<SaveResult>
  patchState(id: string, key: string, change: StatePatch, options?: OperationOptions): Promise<PatchResult>
  saveCompletion(id: string, completion: CompletionInput, options?: OperationOptions): Promise<CompletionSaveResult>
  /**
   * Applies what the journal kept, in this order, and answers one by one. Host state member by member, where it is
   * unchanged since; the rest becomes conflicts. A completion always applies. What the backend refuses for good becomes a
   * conflict too: only `unavailable` throws, and then each of them may have been applied.
   */
  replay(journaled: readonly JournaledOperation[], options?: OperationOptions): Promise<ReplayResult[]>
  conflicts(page?: PageRequest, options?: CallOptions): Promise<Page<Conflict>>
  resolve(id: string, take: Resolution, options?: CallOptions): Promise<{ status: 'resolved' | 'absent' }>
}

export interface OperationOptions extends CallOptions {
  /** What the call may take in milliseconds, in place of the backend's own limit. */
  timeoutMs?: number | undefined
}
