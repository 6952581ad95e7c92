import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const page = readFileSync(`${root}docs/operations.md`, 'utf8')
const failures = readFileSync(`${root}docs/failure-model.md`, 'utf8')

const sources = ['packages/router/src', 'packages/pg-backend/src', 'packages/pg-backend/src/inbox']
  .flatMap((folder) => readdirSync(`${root}${folder}`).map((name) => `${root}${folder}/${name}`))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n')

const all = (pattern: RegExp): string[] => [...page.matchAll(pattern)].map(([, found = '']) => found)

test('each variable of the operations page is one that the programs read', () => {
  const known = readFileSync(`${root}.env.example`, 'utf8')
  const variables = all(/\b(NEXUS_[A-Z_]+)/g)
  expect(variables.length).toBeGreaterThan(2)
  expect(variables.filter((name) => !known.includes(`${name}=`))).toEqual([])
})

test('each line that it says to watch for is one that is logged', () => {
  const lines = all(/`((?:A backend|The journal|New tasks)[^`]*)`/g).map((line) => line.replace(/; …$/, ';'))
  expect(lines.length).toBeGreaterThan(3)
  expect(lines.filter((line) => !sources.includes(line))).toEqual([])
})

test('each proof that it names is in the failure model', () => {
  const names = all(/\(\*([a-z-]+)\*\)/g)
  expect(names.length).toBeGreaterThan(1)
  expect(names.filter((name) => !failures.includes(`| ${name} | [`))).toEqual([])
})

test('it says of every store what becomes of it', () => {
  for (const store of ['host state', 'completions', 'inbox', 'workflows', 'task files'])
    expect(page).toMatch(new RegExp(`^\\| ${store} \\|`, 'm'))
})
