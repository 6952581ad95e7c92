import type { Health, StoreName } from './backend.ts'
import type { CallOptions } from './call.ts'
import { storeVariables } from './config.ts'
import { StoreError } from './errors.ts'
import type { Page, PageRequest } from './page.ts'

/** A workflow as it moves between backends. */
export interface WorkflowRecord {
  id: string
  name: string
  state: string
  currentStep: number
  project: string | null
  issueNumber: string | null
  /**
   * JSON text of the document, numbers as they were written; white space outside strings says nothing. Its members id, name,
   * state, current_step, created_at and updated_at say what the fields say: see `workflowRecord`.
   */
  data: string
  createdAt: Date
  updatedAt: Date
}

/** A completion as it moves between backends. Key: its dedup key. */
export interface CompletionRecord {
  dedupKey: string
  project: string | null
  issueNumber: string
  agentType: string
  status: string
  summary: string
  reportId: string | null
  /** JSON text of the payload. */
  data: string
  /** Its place in the order of saving; null for one older than that order, which comes before all others. */
  seq: number | null
  createdAt: Date
  savedAt: Date
}

/** A value of the host's state as it moves between backends. */
export interface HostStateRecord {
  key: string
  /** JSON text. */
  data: string
  updatedAt: Date
}

/** A task file as it moves between backends. Others may have made both an active and a closed one of a name. */
export interface TaskFileRecord {
  project: string
  filename: string
  state: string
  content: string
  issueNumber: string | null
  createdAt: Date
  updatedAt: Date
}

/** A task of the inbox as it moves between backends, its hold included. */
export interface InboxRecord {
  /** The id that callers know; it stays the same on every backend, whatever that uses beneath. */
  id: string
  project: string
  workspace: string
  filename: string
  markdown: string
  status: string
  priority: number
  runAt: Date
  attempts: number
  recoveries: number
  maxAttempts: number
  idempotencyKey: string | null
  issueNumber: string | null
  error: string | null
  cancelRequested: boolean
  createdAt: Date
  processedAt: Date | null
  /** The fencing token of its latest hold; the next one is greater on any backend. */
  epoch: number
  /** Who holds it by a lease of ours; null where nobody does. The lease begins anew where it is written. */
  hold: { worker: string; leaseMs: number; bound: boolean } | null
}

export interface StoreRecords {
  workflows: WorkflowRecord
  completions: CompletionRecord
  hostState: HostStateRecord
  taskFiles: TaskFileRecord
  inbox: InboxRecord
}

export type StoreRecord<S extends StoreName = StoreName> = StoreRecords[S]

/** One of each name may be in each state. */
export const taskFileKey = ({
  project,
  filename,
  state,
}: Pick<TaskFileRecord, 'project' | 'filename' | 'state'>): string => JSON.stringify([project, filename, state])

/** What names a record within its store, on every backend alike. */
export const recordKey: { readonly [S in StoreName]: (record: StoreRecords[S]) => string } = {
  workflows: ({ id }) => id,
  completions: ({ dedupKey }) => dedupKey,
  hostState: ({ key }) => key,
  taskFiles: taskFileKey,
  inbox: ({ id }) => id,
}

/** Where a store went. From then on every call of it here is refused as `unavailable`, with `movedTo` set. */
export interface Moved {
  store: StoreName
  /** The backend to route it to. */
  to: string
  at: Date
  /** Which move took it there, where the mark says so. */
  by?: string | undefined
}

export interface MarkOptions extends CallOptions {
  /** Moves whose marks may be replaced, besides the move's own and marks that name none. */
  over?: readonly string[]
}

/** How every call of a store that moved away is refused. [C-MOVE-7] */
export const movedAway = ({ store, to, at }: Moved): StoreError =>
  new StoreError({
    code: 'unavailable',
    movedTo: to,
    message: `The store ${store} moved to ${to} at ${at.toISOString()}. Set ${storeVariables[store]}=${to} and start again.`,
  })

/** The same as an answer to who asks how the store is. */
export const movedHealth = (moved: Moved): Health => ({
  status: 'down',
  reason: movedAway(moved).message,
  since: moved.at.getTime(),
  movedTo: moved.to,
})

export interface RecordsRequest extends PageRequest {
  /** False: what agents left in the mailbox stays there, as a look at a store must leave it that is at home elsewhere. */
  takeIn?: boolean | undefined
}

/**
 * Whole records, as they are copied, compared and archived: all that a caller can see of them, and what hosts need to go on.
 * For one migrator at a time; programs that use the stores may be at work beside it.
 */
export interface Records {
  /**
   * Every record once, in an order of the backend's own, in which tasks of one project stand as they were enqueued;
   * unreadable ones stand among `corrupt`. One that is written or removed meanwhile may be there or not. What agents left
   * in the mailbox is taken in first, unless `takeIn` is false. [C-MOVE-1, C-MOVE-3]
   */
  read<S extends StoreName>(store: S, page?: RecordsRequest, options?: CallOptions): Promise<Page<StoreRecords[S]>>

  /** Those of these keys that are there and readable, 1000 keys at most. */
  find<S extends StoreName>(store: S, keys: readonly string[], options?: CallOptions): Promise<StoreRecords[S][]>

  /**
   * Makes each what is there under its key, times and order of saving included; durable when resolved, and the same when
   * repeated. Of two with one key the later counts; a record that is there and has an idempotency key, issue or identity
   * which one of these has now gives it up. 1000 at most. Throws `invalid`, naming the record, for what this backend cannot
   * keep; others of the call may be written. [C-MOVE-2..5]
   */
  write<S extends StoreName>(store: S, records: readonly StoreRecords[S][], options?: CallOptions): Promise<void>

  /** Takes away what is there under these keys; 1000 at most. */
  remove(store: StoreName, keys: readonly string[], options?: CallOptions): Promise<void>

  /** Which of these stores have moved away from here; of all, unless some are named. [C-MOVE-7] */
  moved(options?: CallOptions & { stores?: readonly StoreName[] | undefined }): Promise<Moved[]>

  /**
   * Durable, and after it no write of another process is acknowledged here that was not there before. A mark that another
   * move has put stays: where there is one, none of these is put, and those in the way are the answer. [C-MOVE-7, C-MOVE-9]
   */
  markMoved(moved: readonly Moved[], options?: MarkOptions): Promise<Moved[]>

  /**
   * Names the place where the records are kept, a database or a root: the same for every opening of it, after a restart and
   * under another name; another one for a place that was made anew. [C-MOVE-8]
   */
  identity(options?: CallOptions): Promise<string>

  /** These stores are at home here again. */
  unmarkMoved(stores: readonly StoreName[], options?: CallOptions): Promise<void>
}
