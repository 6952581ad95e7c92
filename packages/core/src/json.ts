import { z } from 'zod'
import { maxTextBytes } from './text.ts'

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject
export type JsonObject = { [member: string]: JsonValue }

/** Nesting beyond this is refused on write and corrupt on read, alike on every backend. [C-ALL-7] */
export const maxJsonDepth = 512

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const scalarProblem = (value: unknown): string | null => {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return null
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'holds a number that JSON cannot express'
  return `holds ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON cannot express`
}

/** Why the value is not a JSON document that we keep, or null. Iterative: a hostile depth must not exhaust the stack. */
export const jsonProblem = (root: unknown): string | null => {
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }]
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, depth } = next
    if (typeof value !== 'object' || value === null) {
      const problem = scalarProblem(value)
      if (problem) return problem
      continue
    }
    if (depth > maxJsonDepth) return `is nested deeper than ${maxJsonDepth} levels`
    if (!Array.isArray(value) && !isPlain(value)) return 'holds an object that is not plain data'
    for (const member of Object.values(value)) open.push({ value: member, depth: depth + 1 })
    if (Array.isArray(value) && Object.keys(value).length !== value.length) return 'holds an array with holes'
  }
  return null
}

export type ParsedJson = { ok: true; value: JsonValue } | { ok: false; reason: string }

/**
 * Reads stored JSON. A leading BOM is passed over; of duplicate members the last wins; integers beyond 2^53 read as
 * the nearest double; `__proto__` is an ordinary member; a number beyond double range makes the document corrupt.
 */
export const parseJson = (text: string): ParsedJson => {
  try {
    const value: unknown = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
    const reason = jsonProblem(value)
    return reason ? { ok: false, reason } : { ok: true, value: value as JsonValue }
  } catch (error) {
    return { ok: false, reason: `is not JSON (${error instanceof Error ? error.message : 'unreadable'})` }
  }
}

/** True for a JSON object (not an array, not null). */
export const isJsonObject = (value: JsonValue | undefined): value is JsonObject => isObject(value)

const documentProblem = (value: unknown): string | null => {
  const problem = jsonProblem(value)
  if (problem) return problem
  const text = JSON.stringify(value)
  const tooLong = text.length * 3 > maxTextBytes && new TextEncoder().encode(text).length > maxTextBytes
  return tooLong ? `is longer than ${maxTextBytes} bytes of JSON` : null
}

const checked = (value: unknown, context: z.RefinementCtx): void => {
  const problem = documentProblem(value)
  if (problem) context.addIssue({ code: 'custom', message: problem })
}

/** Any JSON document a store takes. Strings inside it may hold anything: they are stored escaped. */
export const JsonDocument = z.custom<JsonValue>().superRefine(checked)

/** A JSON document that is an object. */
export const JsonObjectDocument = z.custom<JsonObject>(isObject, 'is not an object').superRefine(checked)
