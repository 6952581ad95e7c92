import {
  boundedCount,
  type CorruptEntry,
  type Count,
  countCeiling,
  isStoreError,
  type JsonValue,
  type Logger,
  type Moved,
  parseJson,
  type StoreName,
} from '@nexus/core'
import { openPgClient, type PgClient } from '../client.ts'
import { ledgerOf, pendingOf } from '../ledger.ts'
import { migrations } from '../migrations.ts'
import { createMarks } from '../moved.ts'
import { inboxKinds } from '../other-inbox.ts'
import { sqlStateOf } from '../pg-errors.ts'
import { createRunStatement, type RunStatement } from '../query.ts'
import { checkRole, tables } from '../role.ts'
import { lossySettings } from '../statements/server.ts'
import {
  type RightRow,
  readContents,
  readRights,
  readServer,
  readStates,
  type ServerRow,
} from '../statements/survey.ts'
import { unreadableDocuments } from './documents.ts'

/** How far the tables are. `unreadable`: the role may not look. */
export type SchemaState =
  | { status: 'absent' }
  | { status: 'current' }
  | { status: 'older'; pending: string[] }
  /** Newer than this program, unfinished, or altered. */
  | { status: 'refused'; reason: string }
  | { status: 'unreadable'; reason: string }

/** What the tables hold; only where they are of this version. */
export interface TableContents {
  /** Tasks that failed for good. */
  deadLetters: Count
  /** Tasks whose leases have run out, by the clock of the server. */
  overdue: number
  /** Tasks that another program took, without a lease. */
  foreignClaims: number
  /** What an outage wrote and others had changed. */
  conflicts: number
  /** Copies of content that could be lost. */
  quarantined: number
  /** Which stores have records here. */
  kept: Record<StoreName, boolean>
  unreadable: { entries: CorruptEntry[]; looked: number; isAll: boolean }
  /** Stores that have moved away from here. */
  moved: Moved[]
  /** The values of the host state that were asked for, as far as they can be read. */
  states: ReadonlyMap<string, JsonValue>
}

export interface Server {
  /** Such as 15.4 is 150004. */
  version: number
  isStandby: boolean
  /** The server's clock less ours, in milliseconds, as far as the way there and back tells. */
  aheadMs: number
  /** Settings that are off and lose acknowledged writes in a power cut. */
  lossy: string[]
  /** What the role lacks, and the statements that grant it; null where it lacks nothing. */
  rights: string | null
  schema: SchemaState
  /** The inbox is the table of an earlier program, which has to be adopted first. */
  hasOtherInbox: boolean
  /** Null where the tables are not there, not of this version, or not to be read. */
  contents: TableContents | null
}

export type DatabaseSurvey =
  | { status: 'reached'; server: Server }
  /** `state`: the SQLSTATE, where the server answered at all. */
  | { status: 'unreachable'; reason: string; state: string | null }

export interface DatabaseSurveyOptions {
  dsn: string
  logger: Logger
  /** Documents of each table that are read at most; all of them where it is null. */
  most: number | null
  /** Keys of the host state whose values are wanted. */
  states: readonly string[]
}

type Wanted = Pick<DatabaseSurveyOptions, 'most' | 'states'>

/** How long a server that serves may take for one answer here. */
const patienceMs = 3_000

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const schemaOf = async (client: PgClient): Promise<SchemaState> => {
  try {
    const pending = pendingOf(migrations, await ledgerOf(client.query))
    if (pending.length === 0) return { status: 'current' }
    return { status: 'older', pending: pending.map(({ name }) => name) }
  } catch (error) {
    if (sqlStateOf(error) === '42P01') return { status: 'absent' }
    if (sqlStateOf(error) === '42501') return { status: 'unreadable', reason: messageOf(error) }
    if (isStoreError(error, 'unsupported')) return { status: 'refused', reason: error.message }
    throw error
  }
}

const grantOf = (role: string, { name, kind, lacks }: RightRow): string[] =>
  lacks.length === 0 ? [] : [`GRANT ${lacks.join(', ')} ON ${kind} ${name} TO ${role};`]

/** The ledger is written to by migrations alone. */
const used = tables.filter((name) => name !== '_prisma_migrations')

/** Making and changing tables takes more than using them. */
const rightsOf = async (
  client: PgClient,
  run: RunStatement,
  { role, schema }: ServerRow,
  state: SchemaState,
): Promise<string | null> => {
  const grants = (await run(readRights, [used])).flatMap((row) => grantOf(role, row))
  if (state.status === 'absent' || state.status === 'older' || schema === null)
    try {
      await checkRole(client.query)
    } catch (error) {
      if (isStoreError(error, 'unsupported')) return error.message
      throw error
    }
  return grants.length > 0 ? `The role ${role} may not use the tables. Run as their owner: ${grants.join(' ')}` : null
}

const statesOf = async (run: RunStatement, keys: readonly string[]): Promise<Map<string, JsonValue>> => {
  const states = new Map<string, JsonValue>()
  for (const { key, data } of await run(readStates, [keys])) {
    const parsed = parseJson(data)
    if (parsed.ok) states.set(key, parsed.value)
  }
  return states
}

const contentsOf = async (
  client: PgClient,
  run: RunStatement,
  { most, states }: Wanted,
): Promise<TableContents | null> => {
  const [row] = await run(readContents, [countCeiling + 1])
  if (!row) return null
  const { workflows, completions, host_state: hostState, task_files: taskFiles, inbox } = row
  return {
    deadLetters: boundedCount(row.dead_letters),
    overdue: row.overdue,
    foreignClaims: row.foreign_claims,
    conflicts: row.conflicts,
    quarantined: row.quarantined,
    kept: { workflows, completions, hostState, taskFiles, inbox },
    moved: await createMarks(client).read(),
    unreadable: await unreadableDocuments(run, most),
    states: await statesOf(run, states),
  }
}

const surveyServer = async (client: PgClient, wanted: Wanted): Promise<Server> => {
  const run = createRunStatement(client)
  const before = Date.now()
  const [server] = await run(readServer, [])
  if (!server) throw new Error('The server did not say what it is.')
  const aheadMs = Math.round(server.now - (before + Date.now()) / 2)
  const [settings, schema, kinds] = await Promise.all([
    run(lossySettings, []),
    schemaOf(client),
    inboxKinds(client.query),
  ])
  const rights = await rightsOf(client, run, server, schema)
  return {
    version: server.version,
    isStandby: server.standby,
    aheadMs,
    lossy: settings.map(({ name }) => name),
    rights,
    schema,
    hasOtherInbox: kinds.ours === 'none' && kinds.other === 'table',
    contents: schema.status === 'current' && rights === null ? await contentsOf(client, run, wanted) : null,
  }
}

/** Looks at a database and changes nothing: no table is made or migrated. Throws `invalid` for what is no DSN. */
export const surveyDatabase = async (options: DatabaseSurveyOptions): Promise<DatabaseSurvey> => {
  await using client = openPgClient({ ...options, maxConnections: 3, timeoutMs: patienceMs })
  try {
    return { status: 'reached', server: await surveyServer(client, options) }
  } catch (error) {
    if (!isStoreError(error, 'unavailable')) throw error
    return { status: 'unreachable', reason: error.message, state: sqlStateOf(error) ?? null }
  }
}
