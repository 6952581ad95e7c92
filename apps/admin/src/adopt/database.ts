import { resolve } from 'node:path'
import { type Config, StoreError } from '@nexus/core'
import { z } from 'zod'
import { audited } from '../audit/audit.ts'
import type { Line } from '../cli/line.ts'
import { adoptTables, surveyTables } from '../compose.ts'

/** A database as it is found, or as it is afterwards. */
export const Database = z.object({
  tables: z.enum(['absent', 'current', 'older', 'refused', 'unreadable']),
  pending: z
    .array(z.string())
    .describe('migrations that add what is missing, where some were applied; rows stay as they are'),
  inbox: z
    .enum(['ours', 'earlier'])
    .describe('earlier: it is the table nexus_inbox_tasks, which nothing of ours opens yet'),
  problem: z.string().nullable(),
})
export type Database = z.output<typeof Database>

/** Nothing is made or changed by looking. Null where no database is configured. */
export const lookAtDatabase = async (config: Config): Promise<Database | null> => {
  const survey = await surveyTables(config, 0, [])
  if (survey === null) return null
  if (survey.status !== 'reached') throw new StoreError({ code: 'unavailable', message: survey.reason })
  const { schema, hasOtherInbox, rights } = survey.server
  return {
    tables: schema.status,
    pending: 'pending' in schema ? schema.pending : [],
    inbox: hasOtherInbox ? 'earlier' : 'ours',
    problem: 'reason' in schema ? schema.reason : rights,
  }
}

/** Renames an earlier inbox, leaves a view under its name, and brings the tables to this version: all of it or nothing. */
export const adoptDatabase = async (config: Config, before: Database): Promise<Database> => {
  if (before.inbox === 'ours' && before.tables === 'current') return before
  await audited(
    resolve(config.dir),
    { command: 'adopt', arguments: { inbox: before.inbox, tables: before.tables }, what: ['database'] },
    () => adoptTables(config),
    (status) => ({ status }),
  )
  return (await lookAtDatabase(config)) ?? before
}

const tablesText = ({ tables, pending }: Database): string => {
  if (tables === 'absent')
    return 'No migration of ours was applied here yet: they make the tables and columns that are missing.'
  if (pending.length === 0) return `The tables are ${tables}.`
  return `The tables are ${tables}: ${pending.length} migrations add what is missing (${pending.join(', ')}).`
}

export const databaseText = (database: Database): Line[] => [
  ...(database.inbox === 'earlier'
    ? [
        'The inbox is nexus_inbox_tasks: it becomes nexus_inbox_queue, with a view under its old name for the program that uses it.',
      ]
    : []),
  `${tablesText(database)} Rows stay as they are.`,
  ...(database.problem === null ? [] : [database.problem]),
]
