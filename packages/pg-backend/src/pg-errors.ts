import { movedAway, type Outcome, StoreError, type StoreErrorCode, storeNames } from '@nexus/core'
import { z } from 'zod'

/** What an error of the database or of the way to it means for the call that met it. */
export interface PgErrorMeaning {
  code: StoreErrorCode
  outcome: Outcome
  /** The same statement may be repeated at once: it was not applied, and the reason has passed. */
  retry: boolean
  /** Which connections are of no further use: none, the one that met it, or also those that were there before it. */
  ends: 'none' | 'one' | 'all'
}

const refused = { code: 'unavailable', outcome: 'not-applied', retry: false, ends: 'all' } as const
const lost = { code: 'unavailable', outcome: 'unknown', retry: false, ends: 'all' } as const
const unsent = { code: 'unavailable', outcome: 'not-applied', retry: true, ends: 'all' } as const
const full = { code: 'unavailable', outcome: 'not-applied', retry: false, ends: 'none' } as const
const raced = { code: 'unavailable', outcome: 'not-applied', retry: true, ends: 'none' } as const
const callers = { code: 'invalid', outcome: 'not-applied', retry: false, ends: 'none' } as const
const foreign = { code: 'unsupported', outcome: 'not-applied', retry: false, ends: 'none' } as const
const damaged = { code: 'corrupt', outcome: 'not-applied', retry: false, ends: 'none' } as const

/** By SQLSTATE, else by its class of two characters. */
const sqlStates = {
  '08': lost,
  '08001': refused,
  '08004': refused,
  '0A': foreign,
  '22': callers,
  '23': callers,
  // A standby, or a primary that lost its writers: this connection will never write.
  '25006': refused,
  // It was idle in its transaction for too long, and the server undid it.
  '25P03': refused,
  '25P04': refused,
  '26': { ...full, ends: 'one' },
  '28': refused,
  '3D': refused,
  '40': raced,
  '40002': callers,
  '40003': lost,
  '42': foreign,
  // A prepared statement of that name exists: another client's, behind a pooler.
  '42P05': { ...full, ends: 'one' },
  '53': full,
  '53300': refused,
  '54': callers,
  '55': full,
  '57': lost,
  '57014': { ...lost, ends: 'none' },
  '57P03': refused,
  '58': lost,
  // Raised by the fence on the tables of a store that moved away.
  NX001: full,
  // Raised by a trigger or function of the operator's: it refuses the value.
  P0: callers,
  XX: lost,
  XX001: damaged,
  XX002: damaged,
} as const satisfies Record<string, PgErrorMeaning>

/** What could not be handed over whole was not applied: each statement ends with the words that make it count. */
const unsentCodes: readonly string[] = ['EPIPE', 'ECONNRESET']

/** By the code of the system. */
const systemCodes = {
  ECONNREFUSED: refused,
  ENOTFOUND: refused,
  EAI_AGAIN: refused,
  ENOENT: refused,
  EACCES: refused,
  ECONNRESET: lost,
  EPIPE: unsent,
  ETIMEDOUT: lost,
  EHOSTUNREACH: lost,
  ENETUNREACH: lost,
  ERR_TLS_CERT_ALTNAME_INVALID: refused,
  SELF_SIGNED_CERT_IN_CHAIN: refused,
  DEPTH_ZERO_SELF_SIGNED_CERT: refused,
} as const satisfies Record<string, PgErrorMeaning>

/** By the message: the driver gives its own errors no code. */
const driverMessages = {
  'Query read timeout': lost,
  'Connection terminated unexpectedly': lost,
  'Connection terminated': lost,
  'Connection terminated due to connection timeout': refused,
  'timeout exceeded when trying to connect': refused,
  'timeout expired': refused,
  'no time left for the next statement': { ...refused, ends: 'one' },
  'the commit was not confirmed by a standby': { ...lost, ends: 'none' },
  'Client has encountered a connection error and is not queryable': unsent,
  'Client was closed and is not queryable': unsent,
  'The server does not support SSL connections': refused,
  'Cannot use a pool after calling end on the pool': { ...refused, code: 'closed' },
} as const satisfies Record<string, PgErrorMeaning>

/** By Prisma's code, where it hides the one below. */
const prismaCodes = {
  P1000: refused,
  P1001: refused,
  P1002: refused,
  P1003: refused,
  P1008: lost,
  P1017: lost,
  P2024: refused,
  P2028: lost,
} as const satisfies Record<string, PgErrorMeaning>

const lookUp = (table: Record<string, PgErrorMeaning>, key: string): PgErrorMeaning | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const codesOf = (error: unknown): string[] => {
  const below = field(field(field(error, 'meta'), 'driverAdapterError'), 'cause')
  const attempts = field(error, 'errors')
  const first = Array.isArray(attempts) ? field(attempts[0], 'code') : undefined
  return [field(below, 'originalCode'), field(error, 'code'), first].map(text).filter((code) => code !== '')
}

/** Five characters with a digit among them, and not one of Prisma's own codes. */
const sqlStateForm = /^(?!P[12]\d{3}$)(?=.*\d)[0-9A-Z]{5}$/

/** The SQLSTATE of an error, however deep the driver, Prisma or `StoreError` put it. */
export const sqlStateOf = (error: unknown): string | undefined =>
  codesOf(error).find((code) => sqlStateForm.test(code)) ??
  (error instanceof StoreError ? sqlStateOf(error.cause) : undefined)

/** Undefined for what has nothing to do with the database: an error in our own code. */
export const meaningOf = (error: unknown): PgErrorMeaning | undefined => {
  const state = sqlStateOf(error)
  if (state !== undefined) return lookUp(sqlStates, state) ?? lookUp(sqlStates, state.slice(0, 2)) ?? lost
  for (const code of codesOf(error)) {
    if (field(error, 'syscall') === 'write' && unsentCodes.includes(code)) return unsent
    const meaning = lookUp(systemCodes, code) ?? lookUp(prismaCodes, code)
    if (meaning) return meaning
  }
  return lookUp(driverMessages, text(field(error, 'message')))
}

const said: Record<StoreErrorCode, string> = {
  unavailable: 'PostgreSQL is not available',
  invalid: 'PostgreSQL refused the value',
  unsupported: 'The database does not fit this version',
  corrupt: 'PostgreSQL reports damaged data',
  closed: 'The postgres backend is closed',
}

/** The driver's messages hold no secret; its error objects may (a URL that does not parse), so those are never the cause. */
const safeCause = (error: unknown): unknown => (field(error, 'input') === undefined ? error : undefined)

const fenced = 'NX001'
const Mark = z.object({ store: z.enum(storeNames), to: z.string(), at: z.coerce.date() })

/** The fence says in its detail where the store went. */
const movedError = (error: unknown): StoreError | null => {
  if (sqlStateOf(error) !== fenced) return null
  try {
    return movedAway(Mark.parse(JSON.parse(text(field(error, 'detail')))))
  } catch {
    return null
  }
}

const storeError = (error: unknown, { code, outcome }: Pick<PgErrorMeaning, 'code' | 'outcome'>): StoreError => {
  const moved = movedError(error)
  if (moved) return moved
  const detail = text(field(error, 'message')) || codesOf(error).join(', ')
  return new StoreError({ code, outcome, message: `${said[code]}: ${detail}`, cause: safeCause(error) })
}

/** What a store throws for an error of the database; an error that is none passes through. */
export const toStoreError = (error: unknown): unknown => {
  const meaning = error instanceof StoreError ? undefined : meaningOf(error)
  return meaning ? storeError(error, meaning) : error
}

/** The same for one that was met before anything was sent: on the way to a connection. */
export const unsentError = (error: unknown): unknown => {
  const meaning = meaningOf(error)
  return meaning ? storeError(error, { ...meaning, outcome: 'not-applied' }) : error
}
