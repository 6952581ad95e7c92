import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const top = fileURLToPath(new URL('../../../', import.meta.url))

/** What a machine that never heard of PostgreSQL does not have. */
const absent = ['@nexus/pg-backend', '@nexus/testkit', 'pg', '@prisma/client', '@prisma/adapter-pg', 'prisma']

const dependenciesOf = (folder: string): string[] =>
  Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies ?? {})

let place = ''

/** A built program with its own packages copied and everything else linked, but for what is absent. */
const install = (app: string): string => {
  const modules = join(place, 'node_modules')
  const add = (from: string, to: string): void => {
    mkdirSync(to, { recursive: true })
    for (const part of ['package.json', 'dist']) cpSync(join(from, part), join(to, part), { recursive: true })
    for (const name of dependenciesOf(from)) {
      const target = join(modules, name)
      if (absent.includes(name) || existsSync(target)) continue
      if (name.startsWith('@nexus/')) add(realpathSync(join(from, 'node_modules', name)), target)
      else {
        mkdirSync(dirname(target), { recursive: true })
        symlinkSync(realpathSync(join(from, 'node_modules', name)), target)
      }
    }
  }
  add(join(top, 'apps', app), join(place, app))
  return join(place, app, 'dist', 'main.js')
}

const run = (main: string, args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [main, ...args], {
    cwd: place,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  })

beforeAll(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'nexus-without-')))
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

test('[C-ROUTE-8] both programs work on files where pg and Prisma are not installed', () => {
  const admin = install('admin')
  const host = install('host')
  for (const name of absent) expect(existsSync(join(place, 'node_modules', name)), name).toBe(false)

  const status = run(admin, ['status'])
  expect(status.stderr).toBe('')
  expect(status.status).toBe(0)

  writeFileSync(
    join(place, 'nexus.yaml'),
    `projects: { shop: { workspace: ., workflow: chain } }
agents: { developer: { command: ['${process.execPath}', agent.mjs] } }
workflows: { chain: { steps: [{ id: develop, agent_type: developer, prompt: 'Do it.' }] } }
`,
  )
  writeFileSync(
    join(place, 'agent.mjs'),
    `import { writeFileSync } from 'node:fs'
writeFileSync(process.env.NEXUS_COMPLETION_FILE, JSON.stringify({ agent_type: 'developer', summary: 'done' }))
`,
  )
  mkdirSync(join(place, '.nexus', 'inbox', 'shop'), { recursive: true })
  writeFileSync(join(place, '.nexus', 'inbox', 'shop', 'cart.md'), 'The cart forgets.')
  const worked = run(host, ['run', '--once', '--config', 'nexus.yaml'])
  expect(worked.status, worked.stdout + worked.stderr).toBe(0)
  expect(run(admin, ['status']).stdout).toMatch(/^inbox {6}pending 0, processing 0, done 1, failed 0$/m)

  const needsIt = run(admin, ['status'], {
    NEXUS_STORAGE_BACKEND: 'postgres',
    NEXUS_STORAGE_DSN: 'postgresql://u@db/x',
  })
  expect(needsIt.status).not.toBe(0)
})
