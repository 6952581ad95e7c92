import { type Claim, canExist } from '@nexus/core'
import type { RunStatement } from '../query.ts'
import { findOrigins } from '../statements/inbox.ts'
import type { Call } from '../tools.ts'

const maxInteger = 2 ** 31 - 1
/** Larger ids from elsewhere are not taken for numbers of ours: the counter would go on behind them, and end soon. */
const maxOwn = 2 ** 30

/** The number behind an id of ours, or null for text that no task has as its id. */
const readId = (id: string): number | null =>
  /^[1-9]\d{0,9}$/.test(id) && Number(id) <= maxInteger ? Number(id) : null

/** The number that a task with this id is to have, or null for an id that is kept beside a number. */
export const ownNumber = (id: string): number | null => {
  const number = readId(id)
  return number !== null && number <= maxOwn ? number : null
}

/** The id that callers know. */
export const publicId = ({ id, origin }: { id: number; origin: string | null }): string => origin ?? String(id)

/**
 * Where the tasks of these ids lie, as the statements take it: the row's number, and below zero where the task came here
 * from another backend with an id that is none. Only those need a look.
 */
const placesOf = async (
  run: RunStatement,
  ids: readonly string[],
  call: Call,
): Promise<ReadonlyMap<string, number>> => {
  const places = new Map<string, number>()
  const others: string[] = []
  for (const id of ids) {
    const number = readId(id)
    if (number !== null) places.set(id, number)
    if (ownNumber(id) === null && canExist(id)) others.push(id)
  }
  if (others.length === 0) return places
  for (const { id, origin } of await run(findOrigins, [others], call)) places.set(origin, -id)
  return places
}

export const placeOf = async (run: RunStatement, id: string, call: Call): Promise<number | null> =>
  (await placesOf(run, [id], call)).get(id) ?? null

/** The parts of a claim as columns. */
export type Held = [place: number, epoch: number, worker: string]

/** For each claim its parts, or null where nobody can have been given it. */
export const readClaims = async (
  run: RunStatement,
  claims: readonly Claim[],
  call: Call,
): Promise<readonly (Held | null)[]> => {
  const places = await placesOf(
    run,
    claims.map(({ id }) => id),
    call,
  )
  return claims.map(({ id, epoch, worker }) => {
    const place = places.get(id)
    const fits = Number.isInteger(epoch) && epoch > 0 && epoch <= maxInteger && canExist(worker)
    return place !== undefined && fits ? [place, epoch, worker] : null
  })
}

export const readClaim = async (run: RunStatement, claim: Claim, call: Call): Promise<Held | null> =>
  (await readClaims(run, [claim], call))[0] ?? null
