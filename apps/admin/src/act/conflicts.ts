import {
  type Backend,
  type Conflict,
  eachItem,
  type JsonValue,
  type Operations,
  StoreError,
  storeNames,
} from '@nexus/core'
import { z } from 'zod'
import { jsonText } from '../cli/line.ts'
import { envelope } from '../cli/output.ts'
import type { Place } from '../cli/with-stores.ts'

const Value = z.json().optional().describe('left out where nothing was there')

/** What `journal conflicts --json` prints. */
export const Conflicts = envelope({
  conflicts: z.array(
    z.object({
      id: z.string(),
      store: z.enum(['hostState', 'completions']),
      key: z.string(),
      member: z.string().nullable().describe('null: the whole value'),
      base: Value,
      ours: Value,
      theirs: Value,
      reason: z.string(),
      at: z.iso.datetime(),
    }),
  ),
})
type Conflicts = z.output<typeof Conflicts>
type ConflictRow = Conflicts['conflicts'][number]

type RemotePlace = Pick<Place, 'config'> & { stores: Pick<Backend, 'operations'> }

/** Throws where nothing is kept in Postgres, or it cannot be reached. */
export const operationsOf = ({ config, stores }: RemotePlace): Operations => {
  if (stores.operations) return stores.operations
  const isRouted = storeNames.some((store) => config.routes[store].backend === 'postgres')
  const why = isRouted ? 'it cannot be reached' : 'nothing is routed to it'
  throw new StoreError({
    code: 'unavailable',
    message: `What an outage left is applied to PostgreSQL and kept there, and ${why}. See: nexus-admin status`,
  })
}

const rowOf = ({ at, ...conflict }: Conflict): ConflictRow => ({ ...conflict, at: at.toISOString() })

export const readConflicts = async (place: RemotePlace): Promise<Conflicts> => {
  const operations = operationsOf(place)
  const conflicts: ConflictRow[] = []
  for await (const conflict of eachItem((page) => operations.conflicts(page))) conflicts.push(rowOf(conflict))
  return { version: 1, conflicts }
}

const shown = (value: JsonValue | undefined): string => {
  const text = value === undefined ? '(nothing)' : jsonText(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const conflictText = ({ id, store, key, member, reason, at, base, ours, theirs }: ConflictRow): string[] => [
  `${id}  ${store} ${key}${member === null ? '' : ` member ${member}`}`,
  `  ${at}: ${reason}`,
  `  seen    ${shown(base)}`,
  `  ours    ${shown(ours)}`,
  `  theirs  ${shown(theirs)}`,
  '',
]

export const conflictsText = ({ conflicts }: Conflicts): string[] =>
  conflicts.length === 0
    ? ['No conflicts.']
    : [
        ...conflicts.flatMap(conflictText),
        `Take one of the two: nexus-admin journal resolve ${conflicts[0]?.id} --take ours`,
      ]
