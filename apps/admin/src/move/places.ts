import { CommandError } from '../cli/exit.ts'
import type { Ends } from './ends.ts'
import { type Migration, moveOptions } from './migration.ts'

export type Places = Migration['places']

/** The database and the root that these ends are now. A root gets its identity here, where it has none. */
export const placesOf = async ({ source, target }: Ends, signal: AbortSignal): Promise<Places> => ({
  from: await source.records.identity({ signal }),
  to: await target.records.identity({ signal }),
})

/** The side on which they are not the ones that the move was begun with; null where both are. */
const changedSide = async (ends: Ends, { places }: Migration, signal: AbortSignal): Promise<'from' | 'to' | null> => {
  const present = await placesOf(ends, signal)
  return (['from', 'to'] as const).find((side) => present[side] !== places[side]) ?? null
}

/** Throws unless both sides are the very database and root that the move was begun with: what it deletes must be its own. */
export const checkPlaces = async (ends: Ends, migration: Migration, signal: AbortSignal): Promise<void> => {
  const side = await changedSide(ends, migration, signal)
  if (side === null) return
  const { id, places } = migration
  const present = await placesOf(ends, signal)
  const lost =
    side === 'to'
      ? ` If that ${migration.to} is lost for good, stop every host, then: nexus-admin migrate undo ${moveOptions(migration)} --target-lost ${places.to}`
      : ''
  throw new CommandError(
    'configuration',
    `This ${migration[side]} is not the one that the move ${id} was begun with: it is ${present[side]}, and was ${places[side]}. Nothing was changed. Set NEXUS_STORAGE_DSN and NEXUS_DIR as they were then, and repeat the command. If it is the same one, brought back from a copy, write its present identity into .move/${id}.json below the root, as places.${side}.${lost}`,
  )
}

/** Throws unless the source is the move's own, and its target is not, but the one that is named as lost. */
export const checkTargetLost = async (
  ends: Ends,
  migration: Migration,
  { lost, signal }: { lost: string; signal: AbortSignal },
): Promise<void> => {
  const { to, places } = migration
  const side = await changedSide(ends, migration, signal)
  if (side === 'from') await checkPlaces(ends, migration, signal)
  if (side === null)
    throw new CommandError(
      'failed',
      `--target-lost: the ${to} of this move is there, and nothing was changed. Take the move back without that option: nexus-admin migrate undo ${moveOptions(migration)}`,
    )
  if (lost !== places.to)
    throw new CommandError(
      'usage',
      `--target-lost ${lost}: the ${to} of this move is ${places.to}, and nothing was changed. If that one is lost for good, and every host is stopped, give its identity.`,
    )
}
