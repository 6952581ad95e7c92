import type { CallOptions } from './call.ts'
import type { JsonObject, JsonValue } from './json.ts'
import type { Page, PageRequest } from './page.ts'
import type { DeleteResult, Guard, Rev, Saved, SaveResult } from './rev.ts'

export interface HostStateEntry {
  key: string
  value: JsonValue
  rev: Rev
  updatedAt: Date
  /** The last known value, while its backend is down. [C-ROUTE-9] */
  stale?: true
}

/** A change of single members of an object. A member both set and removed is removed. */
export interface StatePatch {
  entries?: JsonObject | undefined
  remove?: readonly string[] | undefined
}

export type PatchResult =
  | Saved
  /** The value is a list or a scalar: it has no members. Nothing was written. */
  | { status: 'not-object'; current: Rev }
  /** Others kept changing it for the whole bounded number of tries. */
  | { status: 'conflict'; current: Rev | null }

export type UpdateResult =
  | { status: 'saved'; value: JsonValue; rev: Rev }
  /** `change` returned undefined. */
  | { status: 'unchanged'; rev: Rev | null }
  | { status: 'conflict'; current: Rev | null }

/**
 * The host's own key-value state, one JSON document per key (specification: `nexus_host_state`). Every write is durable
 * when its promise resolves.
 */
export interface HostStateStore {
  /** The entry, or null where the key was never saved. Unreadable data throws `corrupt`, with a rev and its place. */
  load(key: string, options?: CallOptions): Promise<HostStateEntry | null>

  /** Replaces the whole value. A change by any program counts against `ifRev`, a hand edit included. [C-STATE-2] */
  save(key: string, value: JsonValue, options?: CallOptions & Guard): Promise<SaveResult>

  /**
   * Sets and removes single members; two callers patching different members both win. A missing key becomes an object.
   * Members it does not name keep their source text. [C-STATE-3]
   */
  patch(key: string, change: StatePatch, options?: CallOptions): Promise<PatchResult>

  /**
   * Computes the next value from the present one (null: no such key) and saves it if nobody changed it meanwhile, a
   * bounded number of times. `change` may run more than once. [C-STATE-4]
   */
  update(
    key: string,
    change: (value: JsonValue | null) => JsonValue | undefined,
    options?: CallOptions,
  ): Promise<UpdateResult>

  delete(key: string, options?: CallOptions & { ifRev?: Rev }): Promise<DeleteResult>

  /** All keys, in byte order. Unreadable ones are listed as keys too. [C-STATE-5] */
  keys(page?: PageRequest, options?: CallOptions): Promise<Page<string>>
}

/** How often `patch` and `update` try before they answer `conflict`. */
export const maxUpdateTries = 50
