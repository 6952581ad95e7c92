import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Backend, parseJson } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import {
  createFakes,
  type ForeignProgram,
  hostileJsonTexts,
  hostileNames,
  hostileTexts,
  hugeTexts,
} from '@nexus/testkit'
import { expect, test } from 'vitest'
import { createFsForeign, freshRoot } from '../../fs-backend/test/harness.ts'
import { usePostgres } from '../../pg-backend/test/harness.ts'
import { documentPlaces, documentsOf, foreignPlaces, textPlaces } from './hostile-contents.ts'
import { type Position, positions } from './hostile-positions.ts'
import { createFindings, everything, type Findings, plain, verdictOf } from './hostile-verdict.ts'

const isLong = process.env['NEXUS_PROOF'] === 'long'
/** The short form asks each name in every n-th position, each in another; the long form in all of them. */
const stride = isLong ? 1 : 18
const longest = 3_600_000
const namesPerRoot = 60

const openPostgres = usePostgres({ reuse: true })

interface Side {
  backend: Backend
  foreign: ForeignProgram
}

/** Names, bytes and times of everything around the root, and not in it. */
const surroundings = (place: string): string[] =>
  ['.', ...readdirSync(place, { recursive: true }).map(String)]
    .filter((name) => !name.startsWith('outer/root'))
    .sort()
    .map((name) => {
      const stat = lstatSync(join(place, name))
      const sum = stat.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(place, name)))
            .digest('hex')
        : ''
      return `${name} ${stat.ino} ${stat.mtimeMs} ${sum}`
    })

type Break = (backend: Backend, root: string) => Backend

/** Both backends on nothing, and a look at whether anything got out of the root meanwhile. */
const onBoth = async (
  findings: Findings,
  work: (sides: readonly [files: Side, postgres: Side]) => Promise<void>,
  spoil: Break = (backend) => backend,
): Promise<void> => {
  const place = await freshRoot()
  try {
    const root = join(place, 'outer', 'root')
    await mkdir(root, { recursive: true })
    for (const name of ['escape', 'outer/escape', 'outer/escape.json', 'outer/escape.md', 'outer/root.json'])
      await writeFile(join(place, name), 'canary')
    const before = surroundings(place)
    await using postgres = await openPostgres()
    await using files = spoil(await openFsBackend({ root, ...createFakes().context }), root)
    await work([{ backend: files, foreign: createFsForeign(root) }, postgres])
    const after = surroundings(place)
    for (const line of after.filter((one) => !before.includes(one))) findings.fault('outside', line)
    for (const line of before.filter((one) => !after.includes(one))) findings.fault('outside', `gone: ${line}`)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

const backendsOf = (sides: readonly Side[]): Backend[] => sides.map(({ backend }) => backend)

const tryName = async (findings: Findings, sides: readonly Side[], name: string, asked: readonly Position[]) => {
  for (const { title, run, back } of asked) {
    const what = `${title} ${JSON.stringify(name)}`
    const isTaken = await findings.both(what, (backend) => run(backend, name), backendsOf(sides))
    if (!isTaken || !back) continue
    for (const { backend } of sides) {
      const { words } = await verdictOf(() => back(backend, name))
      if (words !== plain(name)) findings.fault('changed', `${what} came back from ${backend.name} as ${words}`)
    }
  }
}

const tryNames = async (findings: Findings, names: readonly string[], stride: number, spoil?: Break): Promise<void> => {
  for (let at = 0; at < names.length; at += namesPerRoot)
    await onBoth(
      findings,
      async (sides) => {
        for (const [n, name] of names.slice(at, at + namesPerRoot).entries()) {
          const asked = positions.filter((_, position) => (position + n) % stride === 0)
          await tryName(findings, sides, name, asked)
        }
        await findings.both(`everything after name ${at}`, everything, backendsOf(sides))
      },
      spoil,
    )
}

const tryTexts = (findings: Findings, texts: readonly string[], asked = textPlaces): Promise<void> =>
  onBoth(findings, async (sides) => {
    for (const [n, text] of texts.entries())
      for (const { title, save, load } of isLong
        ? asked
        : asked.filter((_, at) => (at + n) % 3 === 0 || asked.length < 3)) {
        const what = `${title}, text ${n} ${JSON.stringify(text.slice(0, 30))}`
        if (!(await findings.both(what, (backend) => save(backend, text), backendsOf(sides)))) continue
        for (const { backend } of sides)
          if ((await load(backend)) !== text) findings.fault('changed', `${what} on ${backend.name}`)
      }
  })

const tryDocuments = (findings: Findings, texts: readonly string[], asked = documentPlaces): Promise<void> =>
  onBoth(findings, async (sides) => {
    for (const [n, document] of documentsOf(texts).entries())
      for (const { title, save, load } of asked) {
        const what = `${title}, document ${n}`
        if (!(await findings.both(what, (backend) => save(backend, document), backendsOf(sides)))) continue
        for (const { backend } of sides)
          if (JSON.stringify(await load(backend)) !== JSON.stringify(document))
            findings.fault('changed', `${what} on ${backend.name}`)
      }
  })

/** Read as any JSON reader does, or called unreadable; and left as it is. */
const tryForeign = (findings: Findings, texts: readonly string[], asked = foreignPlaces): Promise<void> =>
  onBoth(findings, async (sides) => {
    for (const [n, given] of texts.entries())
      for (const { title, wrapped, put, verbs, stored } of asked) {
        const text = wrapped?.(given) ?? given
        for (const { backend, foreign } of sides) await put(foreign, backend, text)
        for (const [verb, run] of Object.entries(verbs))
          await findings.both(`${verb} of ${title}, text ${n} ${text.slice(0, 40)}`, run, backendsOf(sides))
        for (const { backend, foreign } of sides)
          if ((await stored(foreign)) !== text) findings.fault('changed', `${title}, text ${n} on ${backend.name}`)
        const value = parseJson(text)
        const read = await verdictOf(() => verbs['load']?.(sides[0].backend) ?? Promise.resolve(null))
        if (value.ok && !wrapped && read.words !== plain(JSON.stringify(value.value)))
          findings.fault('changed', `${title}, text ${n} reads as ${read.words}`)
      }
  })

const report = (proof: string, counts: Record<string, number>): void => {
  const words = Object.entries(counts).map(([figure, count]) => `${figure}=${count}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

test('hostile input: [C-ALL-5..7, C-FILES-3] the same verdict on both backends, nothing outside, nothing changed', {
  timeout: longest,
}, async () => {
  const findings = createFindings()
  await tryNames(findings, hostileNames, stride)
  await tryTexts(findings, hostileTexts)
  await tryDocuments(findings, hostileJsonTexts)
  await tryForeign(findings, hostileJsonTexts)
  // What is huge goes to one place of each kind in the short form, and to all in the long.
  const most = isLong ? 99 : 1
  const hugeDocuments = hugeTexts.slice(isLong ? 0 : -1).map((text) => `{"a": "${text}"}`)
  await tryTexts(findings, hugeTexts, textPlaces.slice(0, most))
  await tryDocuments(findings, hugeDocuments, documentPlaces.slice(0, most))
  await tryForeign(findings, hugeDocuments, foreignPlaces.slice(0, most))
  const documents = documentsOf(hostileJsonTexts).length + hostileJsonTexts.length + hugeDocuments.length
  report('hostile input', {
    names: hostileNames.length,
    positions: positions.length,
    texts: hostileTexts.length + hugeTexts.length,
    documents,
    ...findings.figures,
  })
  expect(findings.faults.join('\n')).toBe('')
  expect(hostileNames.length).toBeGreaterThanOrEqual(200)
})

/** Takes every key for a file name. */
const naive: Break = (backend, root) => ({
  ...backend,
  hostState: {
    ...backend.hostState,
    async save(key, value) {
      await writeFile(join(root, '..', `${key}.json`), JSON.stringify(value)).catch(() => undefined)
      return { status: 'saved', rev: key }
    },
  },
})

test('hostile input: a build without the check of names is caught', async () => {
  const findings = createFindings()
  await tryNames(findings, ['escape', '../escape', 'a/b', 'nul\0byte', '\uD800', 'e\u0301'], 1, naive)
  report('hostile input, planted', findings.figures)
  for (const figure of ['verdicts-differing', 'outside', 'changed'] as const)
    expect(findings.figures[figure], figure).toBeGreaterThan(0)
})
