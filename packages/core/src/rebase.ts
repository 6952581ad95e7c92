import { isJsonObject, type JsonObject, type JsonValue, parseJson } from './json.ts'
import { patchJsonText } from './json-patch.ts'
import type { Conflict, StateBase, StateOperation } from './operation.ts'

/** What the writer saw, what it wrote, and what is there now; undefined: nothing. */
type Sides = Pick<Conflict, 'member' | 'base' | 'ours' | 'theirs'>

/** A part of an operation that was not applied. */
export type StateConflict = Sides & Pick<Conflict, 'reason'>

export interface RebasedState {
  /** What the key's value becomes; null where it stays as it is. */
  text: string | null
  /** The writer knew nothing of what the text replaces, so a copy of that is to be kept. */
  isUnseen: boolean
  conflicts: StateConflict[]
}

/** An operation, what its writer knew, and the text of the key now: null where there is none. */
export interface Rebasing {
  operation: StateOperation
  base: StateBase
  present: string | null
}

const memberOf = (object: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined

const sameLists = (a: readonly JsonValue[], b: readonly JsonValue[]): boolean =>
  a.length === b.length && a.every((item, index) => sameJson(item, b[index]))

/** Whether both say the same, in whatever order their members stand. */
const sameJson = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => {
  if (Array.isArray(a)) return Array.isArray(b) && sameLists(a, b)
  if (!isJsonObject(a)) return a === b
  if (!isJsonObject(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => sameJson(a[name], memberOf(b, name)))
}

/** Absent counts as an object without members where the rest are objects. */
const asObject = (value: JsonValue | undefined): JsonObject | null => {
  if (value === undefined) return {}
  return isJsonObject(value) ? value : null
}

/** What each member that the operation names becomes; of a value saved whole, each that its writer changed. */
const changesOf = (operation: StateOperation, base: JsonObject): Map<string, JsonValue | undefined> => {
  if (operation.kind === 'state-patch')
    return new Map([
      ...Object.entries<JsonValue | undefined>(operation.entries),
      ...operation.remove.map((name) => [name, undefined] as const),
    ])
  const ours = asObject(operation.value) ?? {}
  const names = new Set([...Object.keys(base), ...Object.keys(ours)])
  const changed = [...names].filter((name) => !sameJson(memberOf(base, name), memberOf(ours, name)))
  return new Map(changed.map((name) => [name, memberOf(ours, name)]))
}

const objectOf = (members: Iterable<readonly [string, JsonValue | undefined]>): JsonObject =>
  Object.fromEntries([...members].filter((member): member is [string, JsonValue] => member[1] !== undefined))

/** The operation member by member where all are objects, else as one whole. */
const sidesOf = ({ operation, base }: Rebasing, theirs: JsonValue | undefined): Sides[] => {
  const isSave = operation.kind === 'state-save'
  const seen = base.known === 'value' ? base.value : undefined
  const was = asObject(seen)
  const there = asObject(theirs)
  const isInParts = there && (isSave ? was && isJsonObject(operation.value) : true)
  const changes = changesOf(operation, was ?? {})
  if (isInParts)
    return [...changes].map(([member, ours]) => ({
      member,
      base: memberOf(was ?? {}, member),
      ours,
      theirs: memberOf(there, member),
    }))
  const ours = isSave ? operation.value : objectOf(changes)
  return isSave && sameJson(seen, ours) ? [] : [{ member: null, base: seen, ours, theirs }]
}

const isOpen = ({ ours, theirs }: Sides): boolean => !sameJson(ours, theirs)
const isUntouched = ({ base, theirs }: Sides): boolean => sameJson(base, theirs)

/** All that an operation which cannot be applied would still change. */
export const stateConflicts = (rebasing: Rebasing, reason: string): StateConflict[] => {
  const { operation, present } = rebasing
  const parsed = present === null ? null : parseJson(present)
  const isReadable = parsed === null || parsed.ok
  // A whole value stands beside the text that cannot be read; of its members nobody knows.
  const unread = operation.kind === 'state-save' ? (present ?? undefined) : undefined
  const sides = sidesOf(rebasing, parsed?.ok ? parsed.value : unread)
  return sides.filter((side) => !isReadable || isOpen(side)).map((side) => ({ ...side, reason }))
}

/**
 * What becomes of a key when an operation that was journaled meets what is there now. Each part is applied where nobody
 * else changed it; else it is a conflict, which loses no value: theirs stays in the text, ours in the conflict. What is
 * not ours keeps its source text. Throws `invalid` where the result would be too long. [C-ROUTE-13]
 */
export const rebaseState = (rebasing: Rebasing): RebasedState => {
  const { operation, base, present } = rebasing
  const parsed = present === null ? null : parseJson(present)
  if (parsed && !parsed.ok)
    return { text: null, isUnseen: false, conflicts: stateConflicts(rebasing, `what is there ${parsed.reason}`) }
  if (base.known === 'nothing' && operation.kind === 'state-save') {
    const text = sameJson(operation.value, parsed?.value) ? null : JSON.stringify(operation.value)
    return { text, isUnseen: true, conflicts: [] }
  }
  const sides = sidesOf(rebasing, parsed?.value).filter(isOpen)
  const conflicts = sides
    .filter((side) => !isUntouched(side))
    .map((side) => ({ ...side, reason: 'others changed it meanwhile' }))
  return { text: appliedTo(rebasing, sides.filter(isUntouched)), isUnseen: false, conflicts }
}

/** The present text with these sides of ours in it; null where that changes nothing. */
const appliedTo = ({ base, present }: Rebasing, sides: readonly Sides[]): string | null => {
  const whole = sides.find(({ member }) => member === null)
  if (whole) return JSON.stringify(whole.ours)
  // Even without members a key comes to be where its writer saw none.
  if (sides.length === 0 && (present !== null || base.known === 'value')) return null
  const members = sides.map(({ member, ours }) => [member ?? '', ours] as const)
  const remove = members.filter(([, ours]) => ours === undefined).map(([member]) => member)
  const patched = patchJsonText(present ?? '{}', { entries: objectOf(members), remove })
  return patched.ok ? patched.text : null
}
