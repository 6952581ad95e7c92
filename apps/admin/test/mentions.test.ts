import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { createProgram as createHostProgram } from '../../host/src/program.ts'
import { createProgram } from '../src/program.ts'
import { understand } from './understand.ts'

const top = fileURLToPath(new URL('../../..', import.meta.url))

const programs: Readonly<Record<string, () => Command | Promise<Command>>> = {
  'nexus-admin': async () => (await createProgram()).program,
  'nexus-host': createHostProgram,
}

const unknownWord = 'X'

/** What code puts into a command that it names, in the place of which something like it is read. */
const wordsFor = (code: string): string => {
  if (code.startsWith('moveOptions(')) return '--from filesystem --to postgres --store inbox'
  if (code === 'both') return '--from filesystem --to postgres'
  if (/from|\.to\b/.test(code)) return 'filesystem'
  return /store/.test(code) ? 'inbox' : unknownWord
}

/** The text of a source file, its templates filled in. */
const filledIn = (source: string): string => {
  let [text, rest] = ['', source]
  for (let at = rest.indexOf('${'); at >= 0; at = rest.indexOf('${')) {
    let [end, depth] = [at + 2, 1]
    for (; depth > 0; end += 1) depth += { '{': 1, '}': -1 }[rest[end] ?? '}'] ?? 0
    text += rest.slice(0, at) + wordsFor(rest.slice(at + 2, end - 1))
    rest = rest.slice(end)
  }
  return text + rest
}

/** What stands in strings, each on a line of its own; comments say nothing to people at a terminal. */
const stringsIn = (source: string): string =>
  [
    ...filledIn(source).matchAll(
      /\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*|'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`/g,
    ),
  ]
    .map(([, single, double, template]) =>
      (single ?? double ?? template ?? '').replaceAll('\\n', '\n').replaceAll('\\', ''),
    )
    .join('\n')

/** The code of a page: what stands between backticks, inline or in a block, lines that end in a backslash joined. */
const codeIn = (page: string): string => {
  const blocks = [...page.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.replaceAll('\\\n', ' '))
  const prose = page.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, '')
  return [...blocks, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)].join('\n')
}

interface Mention {
  program: string
  words: string[]
  /** Nothing was left out with an ellipsis. */
  isWhole: boolean
}

const isEnd = (word: string): boolean => /^([|>#&]|or|and|then|\(.*|nexus-.*)$/.test(word)

/** A command ends with the text, the line, or the sentence or part of one. */
const wordsIn = (text: string): string[] => {
  const words: string[] = []
  for (const [word] of text.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"`])+/g)) {
    if (isEnd(word)) break
    const bare = word.replace(/[,;:.)]+$/, '')
    words.push(bare.replaceAll(/['"]/g, ''))
    if (bare !== word) break
  }
  return words.filter((word) => word !== '')
}

const mentionsIn = (text: string): Mention[] =>
  [...text.matchAll(/(?<!-[uc] |systemctl \w+ |[\w/@.-])(nexus-(?:admin|host))(?= +([^\n`]*))/g)].flatMap(
    ([, program = '', rest = '']) => {
      const words = wordsIn(rest)
      return words.length === 0 ? [] : [{ program, words, isWhole: !words.some((word) => word.endsWith('…')) }]
    },
  )

const isCommand = (word: string): boolean => /^[a-z]/.test(word)

/** The command that the words lead to, and those behind it. Throws for a command that there is not. */
const reach = async ({ program, words }: Mention): Promise<{ command: Command; rest: readonly string[] }> => {
  let command = (await programs[program]?.()) as Command
  for (const [index, word] of words.entries()) {
    if (word === unknownWord) return { command, rest: [] }
    if (command.commands.length === 0 || !isCommand(word)) return { command, rest: words.slice(index) }
    const child = command.commands.find((each) => each.name() === word || each.aliases().includes(word))
    if (!child) throw new Error(`there is no command ${word}`)
    command = child
  }
  return { command, rest: [] }
}

const read = (file: string): string => readFileSync(join(top, file), 'utf8')

/** Commands that the page of open points says are not there yet. */
const isToCome = ({ words }: Mention): boolean => read('docs/open-points.md').includes(`- \`${words[0]}\` is not there`)

/** What is wrong with a command that somebody is told to type; null where it could be. */
const problemOf = async (mention: Mention): Promise<string | null> => {
  try {
    const { command, rest } = await reach(mention)
    const known = [...command.options.flatMap(({ long, short }) => [long, short]), '--help', '--']
    const unknown = rest.find((word) => word.startsWith('-') && word !== '-' && !known.includes(word))
    if (unknown !== undefined) return `there is no option ${unknown}`
    // Named alone it is only spoken of; with its options it is to be typed.
    if (rest.length === 0 || !mention.isWhole || rest.includes('--help')) return null
    const typed = mention.words.map((word) => word.split('|')[0] ?? '')
    await understand((await programs[mention.program]?.()) as Command, typed)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const filesBelow = (folder: string, end: RegExp): string[] =>
  readdirSync(join(top, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => end.test(name) && !/node_modules|generated/.test(name))
    .map((name) => join(folder, name))

const sources = [
  'apps/admin/src',
  'apps/host/src',
  ...['core', 'engine', 'fs-backend', 'pg-backend', 'router'].map((name) => `packages/${name}/src`),
]
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...filesBelow('docs', /\.md$/),
  ...filesBelow('deploy', /\.md$/),
]

describe('every command that people are told of is there', () => {
  test.each([
    ['messages and fixes', sources.flatMap((folder) => filesBelow(folder, /\.ts$/)), stringsIn, 90],
    ['pages', pages, codeIn, 70],
  ] as const)('in %s', async (_, files, textOf, least) => {
    const wrong: string[] = []
    let found = 0
    for (const file of files) {
      const text = textOf(
        read(file).replaceAll(/node (?:\/opt\/nexus\/)?apps\/(admin|host)\/dist\/main\.js/g, 'nexus-$1'),
      )
      for (const mention of mentionsIn(text)) {
        found += 1
        if (isToCome(mention)) continue
        const problem = await problemOf(mention)
        if (problem !== null) wrong.push(`${file}: ${mention.program} ${mention.words.join(' ')}: ${problem}`)
      }
    }
    expect(wrong).toEqual([])
    expect(found).toBeGreaterThan(least)
  })
})
