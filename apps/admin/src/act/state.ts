import { type Backend, type JsonObject, type JsonValue, parseJson } from '@nexus/core'
import { z } from 'zod'
import { usageError } from '../cli/exit.ts'
import { jsonText } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import { PageCursor } from '../cli/paging.ts'
import { Written } from './guard.ts'

/** What `state ls --json` prints. */
export const StateKeys = envelope({ keys: z.array(z.string()), cursor: PageCursor })
type StateKeys = z.output<typeof StateKeys>

/** What `state get --json` prints. */
export const StateShown = envelope({
  key: z.string(),
  value: z.json(),
  rev: z.string(),
  updated_at: z.iso.datetime(),
})
type StateShown = z.output<typeof StateShown>

/** What `state set --json` and `state edit --json` print. */
export const StateWritten = envelope({ key: z.string(), ...Written })

/** What `state patch --json` prints. */
export const StatePatched = envelope({
  key: z.string(),
  status: z
    .enum(['saved', 'not-object', 'conflict'])
    .describe('not-object: its value has no members; conflict: others kept changing it'),
  rev: z.string().nullable(),
})

export const readKeys = async (
  { hostState }: Pick<Backend, 'hostState'>,
  page: { limit: number; cursor?: string },
): Promise<StateKeys> => {
  const { items, cursor } = await hostState.keys({ limit: page.limit, cursor: page.cursor })
  return { version: 1, keys: items, cursor }
}

export const readState = async ({ hostState }: Pick<Backend, 'hostState'>, key: string): Promise<StateShown | null> => {
  const entry = await hostState.load(key)
  return entry && { version: 1, key, value: entry.value, rev: entry.rev, updated_at: entry.updatedAt.toISOString() }
}

export const valueText = (value: JsonValue): string => jsonText(value, 2)

/** A whole number of a JSON text that a double cannot hold: it would be saved as another one. */
const inexactIn = (text: string): string | undefined => {
  const numbers = [...text.matchAll(/"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)].map(([token]) => token)
  return numbers.find((token) => /^-?\d+$/.test(token) && BigInt(token) !== BigInt(Number(token)))
}

/** Whether a value was read from a text that may have had such a number. */
export const mayBeInexact = (value: JsonValue): boolean => {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  return typeof value === 'object' && value !== null && Object.values(value).some(mayBeInexact)
}

/** Throws for what is no JSON, and for a whole number beyond 2^53 that would not be kept as it is. */
export const readValue = (text: string, where: string): JsonValue => {
  const parsed = parseJson(text)
  if (!parsed.ok) throw usageError(`${where} ${parsed.reason}.`)
  const inexact = inexactIn(text)
  if (inexact !== undefined)
    throw usageError(
      `${where} holds ${inexact}, which would be saved as ${BigInt(Number(inexact))}. Write it as a string.`,
    )
  return parsed.value
}

/** `name=JSON`, any number of times. */
export const readMembers = (texts: readonly string[]): JsonObject => {
  const members = texts.map((text): [string, JsonValue] => {
    const at = text.indexOf('=')
    if (at < 1) throw usageError(`--set ${text}: name=JSON is meant, such as --set limit=3 or --set 'name="ann"'.`)
    const value = text.slice(at + 1)
    return [text.slice(0, at), readValue(value, `--set ${text.slice(0, at)}: ${JSON.stringify(value)}`)]
  })
  return Object.fromEntries(members)
}
