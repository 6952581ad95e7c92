import { describe, expect, test } from 'vitest'
import type { BackendName, StoreName } from '../src/index.ts'
import { ConfigError, readConfig, storeNames, storeVariables } from '../src/index.ts'

const dsn = 'postgresql://nexus:canary-password@db.example:5432/nexus'

const spellings: Record<string, BackendName> = {
  filesystem: 'filesystem',
  fs: 'filesystem',
  file: 'filesystem',
  postgres: 'postgres',
  postgresql: 'postgres',
  database: 'postgres',
  both: 'postgres',
  Postgres: 'postgres',
  ' FS ': 'filesystem',
}

const unknown = ['redis', 'none', 'null', 'file system', 'postgres,filesystem', '__proto__', 'constructor', '0']
const routing = ['NEXUS_STORAGE_BACKEND', ...Object.values(storeVariables)]
const documented: Record<StoreName, string> = {
  workflows: 'NEXUS_WORKFLOW_BACKEND',
  completions: 'NEXUS_COMPLETION_BACKEND',
  hostState: 'NEXUS_HOST_STATE_BACKEND',
  taskFiles: 'NEXUS_TASK_BACKEND',
  inbox: 'NEXUS_INBOX_BACKEND',
}

const refusal = (env: Record<string, string | undefined>): ConfigError => {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}

/** Every combination of the choices, one per variable. */
const combinations = (names: readonly string[], choices: readonly (string | undefined)[]) => {
  let all: Record<string, string | undefined>[] = [{}]
  for (const name of names) all = all.flatMap((env) => choices.map((choice) => ({ ...env, [name]: choice })))
  return all
}

describe('readConfig', () => {
  test('[C-ROUTE-1] nothing set: everything on files below .nexus', () => {
    const config = readConfig({})
    for (const store of storeNames)
      expect(config.routes[store]).toEqual({ backend: 'filesystem', decidedBy: 'default' })
    expect(config).toMatchObject({ dsn: null, listenDsn: null, dir: '.nexus' })
  })

  test('[C-ROUTE-2] each store has its own documented variable', () => {
    expect(storeVariables).toEqual(documented)
  })

  test('[C-ROUTE-1] every spelling, for the general variable and each override', () => {
    for (const [spelling, backend] of Object.entries(spellings)) {
      const general = readConfig({ NEXUS_STORAGE_BACKEND: spelling, NEXUS_STORAGE_DSN: dsn })
      for (const store of storeNames)
        expect(general.routes[store]).toEqual({ backend, decidedBy: 'NEXUS_STORAGE_BACKEND' })
      for (const [store, variable] of Object.entries(documented)) {
        const own = readConfig({ [variable]: spelling, NEXUS_STORAGE_DSN: dsn })
        expect(own.routes[store as StoreName]).toEqual({ backend, decidedBy: variable })
      }
    }
  })

  test('[C-ROUTE-2] every combination of unset, empty, filesystem, postgres and both over the six variables', () => {
    const meaning: Record<string, BackendName> = { filesystem: 'filesystem', postgres: 'postgres', both: 'postgres' }
    const all = combinations(routing, [undefined, '', 'filesystem', 'postgres', 'both'])
    expect(all).toHaveLength(5 ** 6)
    for (const env of all) {
      const { routes } = readConfig({ ...env, NEXUS_STORAGE_DSN: dsn })
      for (const store of storeNames) {
        const own = env[documented[store]]
        const general = env['NEXUS_STORAGE_BACKEND']
        const wanted = own
          ? { backend: meaning[own], decidedBy: documented[store] }
          : general
            ? { backend: meaning[general], decidedBy: 'NEXUS_STORAGE_BACKEND' }
            : { backend: 'filesystem', decidedBy: 'default' }
        if (routes[store].backend !== wanted.backend || routes[store].decidedBy !== wanted.decidedBy)
          expect({ env, store, route: routes[store] }).toEqual({ env, store, route: wanted })
      }
    }
  })

  test('[C-ROUTE-3] postgres without a DSN is refused in every combination that routes there, and only then', () => {
    for (const env of combinations(routing, [undefined, 'filesystem', 'postgres'])) {
      const needed = storeNames.some(
        (store) => (env[documented[store]] ?? env['NEXUS_STORAGE_BACKEND'] ?? 'filesystem') === 'postgres',
      )
      if (!needed) expect(readConfig(env).dsn).toBeNull()
      else {
        const error = refusal({ ...env, NEXUS_STORAGE_DSN: ' ' })
        expect(error.variable).toBe('NEXUS_STORAGE_DSN')
        expect(error.message).toMatch(/^NEXUS_STORAGE_DSN is not set, but NEXUS_\w+=postgres keeps \w+ in postgres/)
      }
    }
  })

  test('[C-ROUTE-4] an unknown value names the variable, the value and what is allowed', () => {
    for (const variable of routing)
      for (const value of unknown) {
        const error = refusal({ [variable]: value, NEXUS_STORAGE_DSN: dsn })
        expect(error.variable).toBe(variable)
        expect(error.message).toBe(
          `${variable}=${value}: unknown backend. Use filesystem or postgres (aliases: fs, file, postgresql, database).`,
        )
      }
  })

  test('[C-ROUTE-5] a DSN that is not one is refused without its password', () => {
    const bad = [
      'postgresql://nexus:canary-password@',
      'postgresql://nexus:canary-password@:5432/x',
      'mysql://nexus:canary-password@db/nexus',
      'nexus:canary-password@db/nexus',
      'postgresql://nexus:canary-password@db:port/nexus',
      'postgresql://nexus:canary%ZZ-password@[db/nexus',
      'host=db password=canary-password',
      'postgresql://nexus:canary-password@db1,db2/nexus',
      'postgresql://nexus:canary-password@/nexus?host=db1,db2',
    ]
    for (const variable of ['NEXUS_STORAGE_DSN', 'NEXUS_STORAGE_LISTEN_DSN'])
      for (const value of bad) {
        const error = refusal({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: dsn, [variable]: value })
        expect(error.message).toContain(variable)
        expect(error.message).toContain('postgresql://user:password@host:5432/database')
        expect(`${error.message}${error.stack}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('canary')
      }
  })

  test('[C-ROUTE-6] the environment is an argument: what the process has is not looked at', () => {
    process.env['NEXUS_STORAGE_BACKEND'] = 'redis'
    try {
      expect(readConfig({}).routes.inbox.backend).toBe('filesystem')
    } finally {
      delete process.env['NEXUS_STORAGE_BACKEND']
    }
  })

  test('[C-ROUTE-3] NEXUS_DIR is the root on disk; empty counts as unset', () => {
    expect(readConfig({ NEXUS_DIR: '/srv/nexus' }).dir).toBe('/srv/nexus')
    expect(readConfig({ NEXUS_DIR: '' }).dir).toBe('.nexus')
  })
})
