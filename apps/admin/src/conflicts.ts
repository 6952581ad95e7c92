import {
  type Backend,
  type Config,
  type Conflict,
  eachItem,
  type JsonValue,
  type Operations,
  type Resolution,
  StoreError,
  storeNames,
} from '@nexus/core'

/** What `conflicts --json` prints; `version` grows when a member changes its meaning. */
interface Conflicts {
  version: 1
  conflicts: Conflict[]
}

const operationsOf = ({ operations }: Backend): Operations => {
  if (operations) return operations
  throw new StoreError({
    code: 'unavailable',
    message: 'Conflicts are kept in PostgreSQL, and it cannot be reached. See: nexus-admin status',
  })
}

/** Throws where nothing is kept in Postgres, before anything is opened. */
export const checkConflicts = ({ routes }: Config): void => {
  if (storeNames.some((store) => routes[store].backend === 'postgres')) return
  throw new StoreError({
    code: 'unavailable',
    message: 'Conflicts are kept in PostgreSQL, and nothing is routed to it. See: nexus-admin status',
  })
}

export const readConflicts = async (stores: Backend): Promise<Conflicts> => {
  const operations = operationsOf(stores)
  const conflicts: Conflict[] = []
  for await (const conflict of eachItem((page) => operations.conflicts(page))) conflicts.push(conflict)
  return { version: 1, conflicts }
}

const shown = (value: JsonValue | undefined): string => {
  const text = value === undefined ? '(nothing)' : JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

const conflictText = ({ id, store, key, member, reason, at, base, ours, theirs }: Conflict): string =>
  [
    `${id}  ${store} ${key}${member === null ? '' : ` member ${member}`}`,
    `  ${at.toISOString()}: ${reason}`,
    `  seen    ${shown(base)}`,
    `  ours    ${shown(ours)}`,
    `  theirs  ${shown(theirs)}`,
  ].join('\n')

export const conflictsText = ({ conflicts }: Conflicts): string =>
  conflicts.length === 0
    ? 'No conflicts.'
    : [
        ...conflicts.map(conflictText),
        `Take one of the two: nexus-admin conflicts resolve ${conflicts[0]?.id} ours`,
      ].join('\n\n')

/** What became of it, as `resolve --json` prints it. */
export const resolveConflict = async (stores: Backend, id: string, take: Resolution) => ({
  version: 1 as const,
  id,
  take,
  ...(await operationsOf(stores).resolve(id, take)),
})
