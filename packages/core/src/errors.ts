/** Why a store call could not give an answer. Expected outcomes are values, never one of these. [C-ALL-2] */
export const storeErrorCodes = ['unavailable', 'corrupt', 'invalid', 'unsupported', 'closed'] as const
export type StoreErrorCode = (typeof storeErrorCodes)[number]

/** Whether the effect can have happened: a write that timed out may have been applied. */
export type Outcome = 'not-applied' | 'unknown'

export interface StoreErrorDetail {
  code: StoreErrorCode
  /** Says what happened, to what, and what to do. Never holds a secret. */
  message: string
  /** `not-applied` unless given. */
  outcome?: Outcome
  /** `corrupt` only: where the unreadable data lies (a path, or table and key). */
  place?: string
  /** `corrupt` only: names the unreadable content, so that a save with it may replace it. [C-ALL-9] */
  rev?: string
  /** `unavailable` only: the store has moved to this backend, for good. It is no outage: nothing falls back to a journal. */
  movedTo?: string
  cause?: unknown
}

/** The one error that stores throw. */
export class StoreError extends Error {
  readonly code: StoreErrorCode
  readonly outcome: Outcome
  readonly place: string | undefined
  readonly rev: string | undefined
  readonly movedTo: string | undefined

  constructor(detail: StoreErrorDetail) {
    super(detail.message, { cause: detail.cause })
    this.name = 'StoreError'
    this.code = detail.code
    this.outcome = detail.outcome ?? 'not-applied'
    this.place = detail.place
    this.rev = detail.rev
    this.movedTo = detail.movedTo
  }
}

export const invalid = (message: string): StoreError => new StoreError({ code: 'invalid', message })

/** True for a `StoreError`, of the given code where one is named. */
export const isStoreError = (error: unknown, code?: StoreErrorCode): error is StoreError =>
  error instanceof StoreError && (code === undefined || error.code === code)
