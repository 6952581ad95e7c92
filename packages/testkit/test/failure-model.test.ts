import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url))
const page = readFileSync(`${docs}failure-model.md`, 'utf8')

/** The rows below each heading, their cells apart; without the head of the table. */
const rowsUnder = (heading: string): string[][] => {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '))
}

const namesIn = (text: string): string[] =>
  [...text.matchAll(/(?<!\*)\*([a-z][a-z-]*)\*(?!\*)/g)].map(([, name = '']) => name)

const proofs = rowsUnder('The proofs').map(([name = '', where = '', title = '']) => ({
  name,
  file: /\]\((.+)\)/.exec(where)?.[1] ?? '',
  title,
}))

test('each proof that the failure model names is there, under its title', () => {
  expect(proofs.length).toBeGreaterThan(50)
  for (const { name, file, title } of proofs) {
    expect(existsSync(`${docs}${file}`), name).toBe(true)
    expect(title.length, name).toBeGreaterThan(10)
    expect(readFileSync(`${docs}${file}`, 'utf8').includes(title), `${name}: ${title}`).toBe(true)
  }
})

test('the failure model names what it lists, and lists what it names, once', () => {
  const listed = proofs.map(({ name }) => name)
  expect([...new Set(listed)]).toEqual(listed)
  expect([...new Set(namesIn(page))].sort()).toEqual([...listed].sort())
})

test('each promise names its proof', () => {
  const promises = ['The promises', 'Files', 'PostgreSQL'].flatMap(rowsUnder)
  expect(promises.length).toBeGreaterThan(18)
  expect(promises.filter((cells) => namesIn(cells.join(' ')).length === 0)).toEqual([])
})
