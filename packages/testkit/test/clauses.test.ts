import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const entries = (folder: string): string[] => readdirSync(`${root}${folder}`).map((name) => `${folder}/${name}`)

const sourceFiles = (folder: string): string[] =>
  readdirSync(`${root}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name === 'generated') return []
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? sourceFiles(path) : /\.m?tsx?$/.test(entry.name) ? [path] : []
  })

const files = ['packages', 'apps'].flatMap(entries).flatMap(sourceFiles)
const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.startsWith('packages/testkit/src/suites/')

const cited = (paths: readonly string[]): Map<string, string> => {
  const citations = new Map<string, string>()
  for (const path of paths)
    for (const [clause] of readFileSync(`${root}${path}`, 'utf8').matchAll(/\bC-[A-Z]+-\d+\b/g))
      citations.set(clause, path)
  return citations
}

const written = [...readFileSync(`${root}docs/contract.md`, 'utf8').matchAll(/^- \*\*(C-[A-Z]+-\d+)\*\*/gm)].map(
  ([, clause]) => clause ?? '',
)

test('the contract numbers its clauses without a gap, and none twice', () => {
  const next = new Map<string, number>()
  for (const clause of written) {
    const [, group = '', number] = /^C-([A-Z]+)-(\d+)$/.exec(clause) ?? []
    expect(Number(number), clause).toBe((next.get(group) ?? 0) + 1)
    next.set(group, Number(number))
  }
  expect(written.length).toBeGreaterThan(60)
})

test('every clause of the contract is cited by a test', () => {
  const citations = cited(files.filter(isTest))
  expect(written.filter((clause) => !citations.has(clause))).toEqual([])
})

test('every cited clause is in the contract', () => {
  const unknown = [...cited(files)].filter(([clause]) => !written.includes(clause))
  expect(unknown).toEqual([])
})
