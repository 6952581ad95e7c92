import { z } from 'zod'
import { type StoreName, storeNames } from './backend.ts'

/** A backend that routes can name. */
export const backendNames = ['filesystem', 'postgres'] as const
export type BackendName = (typeof backendNames)[number]

const backendWords = {
  filesystem: 'filesystem',
  fs: 'filesystem',
  file: 'filesystem',
  postgres: 'postgres',
  postgresql: 'postgres',
  database: 'postgres',
  both: 'postgres',
} as const satisfies Record<string, BackendName>

const allowed = 'Use filesystem or postgres (aliases: fs, file, postgresql, database).'

/** A user's mistake in the configuration. Programs print the message alone and exit 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly variable: string

  constructor(variable: string, message: string) {
    super(message)
    this.name = 'ConfigError'
    this.variable = variable
  }
}

export const configErrorExitCode = 78

const given = (value: unknown): unknown => (typeof value === 'string' && value.trim() === '' ? undefined : value)

const backendWord = z.preprocess(
  given,
  z
    .string()
    .transform((value, context): BackendName => {
      const key = value.trim().toLowerCase()
      if (Object.hasOwn(backendWords, key)) return backendWords[key as keyof typeof backendWords]
      context.addIssue({ code: 'custom', message: `unknown backend. ${allowed}` })
      return z.NEVER
    })
    .optional(),
)

/** Of one host: the driver takes several for the name of one, which nobody has. */
const isDsn = (value: string): boolean => {
  try {
    const { protocol, hostname, searchParams } = new URL(value)
    const host = hostname || searchParams.get('host') || ''
    return (protocol === 'postgresql:' || protocol === 'postgres:') && host !== '' && !host.includes(',')
  } catch {
    return false
  }
}

const dsn = z.preprocess(
  given,
  z.string().trim().refine(isDsn, 'not a PostgreSQL URL. Use postgresql://user:password@host:5432/database').optional(),
)

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
/** The least that is logged. */
export type LogLevel = (typeof logLevels)[number]

const logFormats = ['pretty', 'json'] as const
/** `pretty`: lines for a person. `json`: an object a line, for programs. */
export type LogFormat = (typeof logFormats)[number]

const oneOf = <const Words extends readonly string[]>(what: string, words: Words) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? given(value.trim().toLowerCase()) : value),
    z.enum(words, `unknown ${what}. Use ${words.slice(0, -1).join(', ')} or ${words.at(-1)}.`).optional(),
  )

/** The variables in the order a reader wants them; `.env.example` is made from this schema. */
export const Environment = z.object({
  NEXUS_STORAGE_BACKEND: backendWord.describe(
    'Where everything is kept unless a line below says otherwise: filesystem (default) or postgres.',
  ),
  NEXUS_WORKFLOW_BACKEND: backendWord.describe('Workflows: filesystem or postgres.'),
  NEXUS_COMPLETION_BACKEND: backendWord.describe('Completion summaries: filesystem or postgres.'),
  NEXUS_HOST_STATE_BACKEND: backendWord.describe('Host state: filesystem or postgres.'),
  NEXUS_TASK_BACKEND: backendWord.describe('Task files: filesystem or postgres.'),
  NEXUS_INBOX_BACKEND: backendWord.describe('Inbox: filesystem or postgres.'),
  NEXUS_STORAGE_DSN: dsn.describe(
    'PostgreSQL connection, required when anything is kept in postgres: postgresql://user:password@host:5432/database',
  ),
  NEXUS_STORAGE_LISTEN_DSN: dsn.describe(
    'A direct connection for LISTEN where NEXUS_STORAGE_DSN goes through a transaction pooler.',
  ),
  NEXUS_DIR: z.preprocess(given, z.string().default('.nexus')).describe('The root on disk.'),
  NEXUS_LOG_LEVEL: oneOf('level', logLevels).describe(
    'The least that the host logs: debug, info (default), warn, error or silent.',
  ),
  NEXUS_LOG_FORMAT: oneOf('format', logFormats).describe(
    'How the host logs: pretty (default on a terminal) or json (default elsewhere: an object a line).',
  ),
})
export type Environment = z.output<typeof Environment>

/** Variables whose values are never printed. */
export const secretVariables: ReadonlySet<string> = new Set(['NEXUS_STORAGE_DSN', 'NEXUS_STORAGE_LISTEN_DSN'])

export const storeVariables = {
  workflows: 'NEXUS_WORKFLOW_BACKEND',
  completions: 'NEXUS_COMPLETION_BACKEND',
  hostState: 'NEXUS_HOST_STATE_BACKEND',
  taskFiles: 'NEXUS_TASK_BACKEND',
  inbox: 'NEXUS_INBOX_BACKEND',
} as const satisfies Record<StoreName, keyof Environment>

/** Where one store lives, and which variable decided it (`default` where none did). */
export interface Route {
  backend: BackendName
  decidedBy: string
}

export interface Config {
  routes: Record<StoreName, Route>
  dsn: string | null
  listenDsn: string | null
  /** As given; relative to the working directory. */
  dir: string
  /** `format` null: as the output asks for. */
  log: { level: LogLevel; format: LogFormat | null }
}

const route = (environment: Environment, store: StoreName): Route => {
  const variable = storeVariables[store]
  const own = environment[variable]
  if (own) return { backend: own, decidedBy: variable }
  const general = environment.NEXUS_STORAGE_BACKEND
  return general
    ? { backend: general, decidedBy: 'NEXUS_STORAGE_BACKEND' }
    : { backend: 'filesystem', decidedBy: 'default' }
}

/**
 * Reads the configuration once, from the given environment. Empty values count as unset.
 * Throws `ConfigError` naming the variable, its value (never a DSN's) and what is allowed. [C-ROUTE-1..6]
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>>): Config => {
  const parsed = Environment.safeParse(env)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const variable = String(issue?.path[0] ?? '')
    const shown = secretVariables.has(variable) ? '' : `=${env[variable]}`
    throw new ConfigError(variable, `${variable}${shown}: ${issue?.message ?? 'not usable'}`)
  }
  const environment = parsed.data
  const routes = Object.fromEntries(storeNames.map((store) => [store, route(environment, store)])) as Config['routes']
  const needsDsn = storeNames.find((store) => routes[store].backend === 'postgres')
  if (needsDsn && !environment.NEXUS_STORAGE_DSN)
    throw new ConfigError(
      'NEXUS_STORAGE_DSN',
      `NEXUS_STORAGE_DSN is not set, but ${routes[needsDsn].decidedBy}=${env[routes[needsDsn].decidedBy]} keeps ${needsDsn} in postgres. Set it to postgresql://user:password@host:5432/database, or use filesystem.`,
    )
  return {
    routes,
    dsn: environment.NEXUS_STORAGE_DSN ?? null,
    listenDsn: environment.NEXUS_STORAGE_LISTEN_DSN ?? null,
    dir: environment.NEXUS_DIR,
    log: { level: environment.NEXUS_LOG_LEVEL ?? 'info', format: environment.NEXUS_LOG_FORMAT ?? null },
  }
}
