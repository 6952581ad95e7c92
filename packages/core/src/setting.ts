import { storeNames } from './backend.ts'
import { Environment, readConfig, secretVariables, storeVariables } from './config.ts'

/** The value that one variable has for this program, and where it came from. */
export interface Setting {
  name: string
  /** Secrets are masked. Null where there is none, and none is needed. */
  value: string | null
  source: 'variable' | 'default'
  /** The variable that said it: another one where a store follows NEXUS_STORAGE_BACKEND. Null for a default. */
  from: string | null
  isSecret: boolean
}

const mask = '***'

/** Parameters of a DSN that hold a secret; a password may stand there too. */
const secretParameter = /pass|secret|key/i

/** A DSN that may be printed: who, where and which database, and nothing that lets anybody in. */
export const maskedDsn = (dsn: string): string => {
  if (!URL.canParse(dsn)) return mask
  const url = new URL(dsn)
  if (url.password !== '') url.password = mask
  for (const name of url.searchParams.keys()) if (secretParameter.test(name)) url.searchParams.set(name, mask)
  return url.href
}

/** Every variable that is read, with what it comes to. Throws `ConfigError` where they do not fit together. */
export const readSettings = (env: Readonly<Record<string, string | undefined>>): Setting[] => {
  const { routes, dsn, listenDsn, dir, log } = readConfig(env)
  const values: Readonly<Record<string, string | null>> = {
    NEXUS_STORAGE_BACKEND: Environment.parse(env).NEXUS_STORAGE_BACKEND ?? 'filesystem',
    NEXUS_STORAGE_DSN: dsn && maskedDsn(dsn),
    NEXUS_STORAGE_LISTEN_DSN: listenDsn && maskedDsn(listenDsn),
    NEXUS_DIR: dir,
    NEXUS_LOG_LEVEL: log.level,
    NEXUS_LOG_FORMAT: log.format,
    ...Object.fromEntries(storeNames.map((store) => [storeVariables[store], routes[store].backend])),
  }
  const decided = new Map(storeNames.map((store) => [String(storeVariables[store]), routes[store].decidedBy]))
  return Object.keys(Environment.shape).map((name) => {
    const isGiven = (env[name] ?? '').trim() !== ''
    const decidedBy = decided.get(name) ?? (isGiven ? name : 'default')
    const from = decidedBy === 'default' ? null : decidedBy
    const source = from === null ? 'default' : 'variable'
    return { name, value: values[name] ?? null, source, from, isSecret: secretVariables.has(name) }
  })
}
