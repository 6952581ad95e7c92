import { expect, test } from 'vitest'
import { agentEnvironment } from '../../src/runner/index.ts'

test('[RUN] an agent inherits the allow-list and what its configuration passes through, nothing else', () => {
  const host = {
    PATH: '/bin',
    HOME: '/h',
    LANG: 'C',
    LC_ALL: 'C',
    XDG_CACHE_HOME: '/c',
    SSH_AUTH_SOCK: '/s',
    TZ: 'UTC',
    ANTHROPIC_API_KEY: 'k',
    AWS_SECRET: 's',
    NODE_OPTIONS: '-r x',
    NEXUS_DIR: '/d',
    PATHS: 'x',
    GONE: undefined,
  }
  expect(agentEnvironment(host, { NEXUS_ATTEMPT: 'a' }, ['ANTHROPIC_API_KEY', 'GONE'])).toEqual({
    PATH: '/bin',
    HOME: '/h',
    LANG: 'C',
    LC_ALL: 'C',
    XDG_CACHE_HOME: '/c',
    SSH_AUTH_SOCK: '/s',
    TZ: 'UTC',
    ANTHROPIC_API_KEY: 'k',
    NEXUS_ATTEMPT: 'a',
  })
})

test('[RUN] no configuration passes the storage settings on, nor a variable that repeats a DSN', () => {
  const host = {
    NEXUS_STORAGE_DSN: 'postgresql://u:secret@h/d',
    NEXUS_STORAGE_BACKEND: 'postgres',
    PGPASSWORD: 'secret',
    DATABASE_URL: 'postgresql://u:secret@h/d?x=1',
    HARMLESS: 'postgresql://u@h/d',
  }
  expect(agentEnvironment(host, {}, Object.keys(host))).toEqual({ HARMLESS: 'postgresql://u@h/d' })
})

test('[RUN] what the host says wins over what it inherited', () => {
  expect(agentEnvironment({ NEXUS_ATTEMPT: 'outer' }, { NEXUS_ATTEMPT: 'inner' }, ['NEXUS_ATTEMPT'])).toEqual({
    NEXUS_ATTEMPT: 'inner',
  })
})
