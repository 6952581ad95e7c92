import { createHash } from 'node:crypto'

/**
 * An opaque string that names content: any change by any program changes it, and a value that changed and changed back
 * is the value that was read. [C-ALL-4]
 */
export type Rev = string

export interface Saved {
  status: 'saved'
  rev: Rev
  /** Its backend is down; the write is safe in the journal and will be applied. [C-ROUTE-9] */
  journaled?: true
}

/** A guarded write: saved, or refused because the content is no longer what the caller saw. */
export type SaveResult = Saved | { status: 'conflict'; current: Rev | null }

export type DeleteResult = { status: 'deleted' } | { status: 'absent' } | { status: 'conflict'; current: Rev }

/**
 * `ifRev` absent: whatever is there. A rev: only if the content is still that. Null: only if there is none.
 * [C-ALL-4]
 */
export interface Guard {
  ifRev?: Rev | null | undefined
}

/** A rev made of the content alone, so a value that changed and changed back has the rev it had. [C-ALL-4] */
export const contentRev = (...parts: readonly (string | number | null)[]): Rev =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
