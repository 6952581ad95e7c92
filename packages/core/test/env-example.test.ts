import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { expect, test } from 'vitest'
import { Environment, readConfig } from '../src/index.ts'

const place = fileURLToPath(new URL('../../../.env.example', import.meta.url))

const examples: Partial<Record<keyof Environment, string>> = {
  NEXUS_STORAGE_BACKEND: 'filesystem',
  NEXUS_STORAGE_DSN: 'postgresql://user:password@localhost:5432/nexus',
  NEXUS_STORAGE_LISTEN_DSN: 'postgresql://user:password@localhost:5432/nexus',
  NEXUS_DIR: '.nexus',
  NEXUS_LOG_LEVEL: 'info',
  NEXUS_LOG_FORMAT: 'json',
}

const envExample = (): string => {
  const entries = Object.entries(Environment.shape).map(([name, schema]) => {
    const example = examples[name as keyof Environment] ?? 'postgres'
    return `# ${schema.description}\n# ${name}=${example}\n`
  })
  return `# Nexus reads these variables once, at start. Each is optional; an empty value counts as unset.\n\n${entries.join('\n')}`
}

test('[C-ROUTE-6] .env.example is made from the schema and describes every variable', async () => {
  for (const [name, schema] of Object.entries(Environment.shape)) expect(schema.description, name).toBeTruthy()
  await expect(envExample()).toMatchFileSnapshot(place)
})

test('[C-ROUTE-6] .env.example with every line switched on is a valid configuration', () => {
  const on = envExample().replaceAll(/^# (NEXUS_\w+=)/gm, '$1')
  const config = readConfig(parseEnv(on) as Record<string, string>)
  expect(config.routes.inbox).toEqual({ backend: 'postgres', decidedBy: 'NEXUS_INBOX_BACKEND' })
  expect(config.dsn).toBe('postgresql://user:password@localhost:5432/nexus')
})
