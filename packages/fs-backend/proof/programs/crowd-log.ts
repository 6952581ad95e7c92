import type { JsonValue } from '@nexus/core'

/** A member of the crowd says this before and after each call. `at`: milliseconds of the clock that all processes share. */
export type Said =
  | { kind: 'ready'; at: number }
  | { kind: 'try'; n: number; at: number; op: string; about: JsonValue }
  | { kind: 'ack'; n: number; at: number; answer: JsonValue }
  | { kind: 'err'; n: number; at: number; error: string }

/** One process of the crowd: all that it said, and when it was killed. */
export interface MemberLog {
  name: string
  killedAt: number | null
  said: Said[]
}

export interface CrowdRecord {
  root: string
  leaseMs: number
  members: MemberLog[]
}

/** A call of a member. No answer: it was killed in it. */
export interface Call {
  by: string
  n: number
  op: string
  about: JsonValue
  start: number
  end: number
  answer?: JsonValue
  error?: string
}

export const sharedNow = (): number => Number(process.hrtime.bigint()) / 1e6

export const callsOf = ({ name, said }: MemberLog): Call[] => {
  const calls = new Map<number, Call>()
  for (const line of said) {
    if (line.kind === 'ready') continue
    const { n, at } = line
    const call = calls.get(n)
    if (line.kind === 'try')
      calls.set(n, { by: name, n, op: line.op, about: line.about, start: at, end: Number.POSITIVE_INFINITY })
    else if (call) Object.assign(call, line.kind === 'ack' ? { end: at, answer: line.answer } : { error: line.error })
  }
  return [...calls.values()]
}

/** Text that shows by itself whether it is whole. */
export const stamped = (value: string): string => `${value}\n${`${value};`.repeat(100)}`

/** The value that was stamped, or null where the text is not as it was written. */
export const stampIn = (text: unknown): string | null => {
  const value = String(text).split('\n')[0] ?? ''
  return text === stamped(value) ? value : null
}

export const grouped = <T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group) group.push(one)
    else groups.set(key(one), [one])
  }
  return groups
}
