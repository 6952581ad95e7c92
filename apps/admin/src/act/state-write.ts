import { isJsonObject, type JsonObject, type SaveResult } from '@nexus/core'
import type { z } from 'zod'
import { audited } from '../audit/audit.ts'
import { CommandError, exit, usageError } from '../cli/exit.ts'
import { readInput, standardInput } from '../cli/input.ts'
import { type Json, print } from '../cli/output.ts'
import { type Place, withStores } from '../cli/with-stores.ts'
import { editText } from './edit.ts'
import { type GuardOptions, guardOf, writtenOf, writtenText } from './guard.ts'
import { mayBeInexact, readMembers, readState, readValue, StatePatched, StateWritten, valueText } from './state.ts'

const guardGiven = ({ ifRev, ifAbsent }: GuardOptions): JsonObject => ({
  ...(ifRev !== undefined && { if_rev: ifRev }),
  ...(ifAbsent && { if_absent: true }),
})

/** Values may hold anything, and do not go into the audit trail: their revs do. */
const save = (
  place: Place,
  command: string,
  key: string,
  text: string,
  where: string,
  guard: GuardOptions,
): Promise<SaveResult> => {
  const value = readValue(text, where)
  return audited(
    place.root,
    { command, arguments: { key, ...guardGiven(guard) }, what: [key] },
    () => place.stores.hostState.save(key, value, guardOf(guard)),
    (result) => ({ ...writtenOf(result) }),
  )
}

const tell = (key: string, result: SaveResult, options: Json): void => {
  const written = writtenOf(result)
  if (written.status === 'conflict') process.exitCode = exit.failed
  print(options, StateWritten, { version: 1, key, ...written }, () => [writtenText(key, written)])
}

/** `state set`: replaces a whole value by a file's, or standard input's. */
export const setState = async (key: string, file: string, options: Json & GuardOptions): Promise<void> => {
  guardOf(options)
  const text = await readInput(file)
  const where = file === standardInput ? 'Standard input' : file
  tell(key, await withStores((place) => save(place, 'state set', key, text, where, options)), options)
}

export interface PatchOptions extends Json {
  set?: string[]
  remove?: string[]
  from?: string
}

const entriesOf = async ({ set = [], from }: PatchOptions): Promise<JsonObject> => {
  const value = from === undefined ? {} : readValue(await readInput(from), from)
  if (!isJsonObject(value)) throw usageError(`${from} is no JSON object, whose members would be set.`)
  return { ...value, ...readMembers(set) }
}

const patchedText = {
  saved: (key) => `${key}: saved.`,
  'not-object': (key) => `${key} stays as it is: its value is no object. Use: nexus-admin state set ${key}`,
  conflict: (key) => `${key} stays as it is: others kept changing it. Try again.`,
} as const satisfies Record<z.output<typeof StatePatched>['status'], (key: string) => string>

/** `state patch`: sets and removes single members, beside whoever changes others. */
export const patchState = async (key: string, options: PatchOptions): Promise<void> => {
  const { remove = [] } = options
  const entries = await entriesOf(options)
  const members = Object.keys(entries)
  if (members.length + remove.length === 0)
    throw usageError('Say what: --set name=JSON, --remove name, or --from a file.')
  const result = await withStores(({ root, stores }) =>
    audited(
      root,
      { command: 'state patch', arguments: { key, set: members, remove }, what: [key] },
      () => stores.hostState.patch(key, { entries, remove }),
      ({ status }) => ({ status }),
    ),
  )
  if (result.status !== 'saved') process.exitCode = exit.failed
  const rev = result.status === 'saved' ? result.rev : result.current
  print(options, StatePatched, { version: 1, key, status: result.status, rev }, () => [patchedText[result.status](key)])
}

/** `state edit`: the value in an editor; a change that others made meanwhile is not overwritten. */
export const editState = async (key: string, options: Json): Promise<void> => {
  await withStores(async (place) => {
    const before = await readState(place.stores, key)
    if (before && mayBeInexact(before.value))
      throw new CommandError(
        'failed',
        `${key} holds a whole number beyond 2^53, which an edit of the whole could change. Set single members, which leaves the others as they stand: nexus-admin state patch ${key} --set name=JSON`,
      )
    const text = `${valueText(before?.value ?? {})}\n`
    const edited = await editText(text, `${key.replaceAll(/[^\w.-]/g, '_').slice(0, 80)}.json`)
    if (edited.text === text) {
      await edited.discard()
      throw new CommandError('failed', `${key}: nothing was changed.`)
    }
    const guard: GuardOptions = before ? { ifRev: before.rev } : { ifAbsent: true }
    const result = await save(place, 'state edit', key, edited.text, edited.file, guard)
    if (result.status === 'conflict') {
      const message = `${key} was changed by others meanwhile, and stays as they left it. Your text is kept: ${edited.file}`
      throw new CommandError('failed', message)
    }
    await edited.discard()
    tell(key, result, options)
  })
}
