import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshRoot } from '../test/harness.ts'
import { buildPrograms } from './building.ts'
import type { Mutant, Rotten } from './programs/rotter.ts'
import { isLong, longest, report, sample, startWriter } from './writing.ts'

let programs = ''
let place = ''
let fixture = ''
beforeAll(async () => {
  programs = await buildPrograms()
  place = await freshRoot()
  fixture = join(place, 'fixture')
  const writer = await startWriter(programs, fixture)
  await writer.go(1, 2)
  // Pending tasks, and one that is held, besides those that are over.
  await writer.goUntil(3, 3, 15)
  await writer.kill()
})
afterAll(async () => {
  await rm(programs, { recursive: true, force: true })
  await rm(place, { recursive: true, force: true })
})

/**
 * Files for people and agents have no sum, by their definition: what is still well-formed there is an edit. So is the
 * markdown of a task, wherever it lies, and the issue number that a holder wrote down.
 */
const isEditable = (file: string): boolean =>
  /^(state|workflows)\/[^/]+\.json$|^tasks\/[^.]+\/(active|closed)\/.+\.md$|\/completion_summary_[^/]+\.json$/.test(
    file,
  ) ||
  (file.startsWith('inbox/') && !file.endsWith('.json'))

/** Whether the record is the one that the file holds. */
const isOwn = (file: string, text: string, record: string): boolean => {
  const [kind = '', ...names] = record.split('/')
  const name = names.at(-1) ?? ''
  if (file.startsWith('state/')) return record === `state/${file.slice(6, -5)}`
  if (file.startsWith('workflows/')) return kind === 'workflow'
  if (file.includes('/.meta/') || /\/(active|closed)\//.test(file)) return kind === 'task'
  if (file.includes('completion_summary_1.json')) return ['mirror', 'latest', 'completion'].includes(kind)
  if (file.includes('completion_summary_')) return kind === 'drop' && file.includes(name)
  if (file.includes('/.by-key/')) return ['mirror', 'latest'].includes(kind) || text.includes(`"${name}"`)
  return file.startsWith('inbox/') && kind === 'inbox'
}

const allMutants = async (): Promise<Mutant[]> => {
  const entries = await readdir(fixture, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).size > 0)
    .map((entry) => relative(fixture, join(entry.parentPath, entry.name)))
  const places = [0.01, 0.07, 0.2, 0.5, 0.93]
  return files.flatMap((file): Mutant[] => [
    ...places.map((at) => ({ file, how: 'flip' as const, at })),
    ...places.map((at) => ({ file, how: 'cut' as const, at })),
    ...places.map((at) => ({ file, how: 'zero' as const, at })),
    { file, how: 'empty', at: 0 },
  ])
}

const judgeOne = async ({ file, how, at, changed, corrupt, thrown }: Rotten) => {
  const name = `${file} ${how} ${at}`
  if (thrown !== null) return { wrong: [`${name}: ${thrown}`], isReported: false, isEdit: false }
  const text = await readFile(join(fixture, file), 'utf8')
  const others = changed.filter((record) => !isOwn(file, text, record))
  const isSilent = changed.length > 0 && corrupt === 0 && !isEditable(file) && !file.includes('/.meta/')
  const wrong = [
    ...others.map((record) => `${name}: ${record} changed too`),
    ...(isSilent ? [`${name}: ${changed.join()} changed, and nobody says so`] : []),
  ]
  return { wrong, isReported: corrupt > 0, isEdit: changed.length > 0 && corrupt === 0 }
}

const rot = async (built: string, mutants: readonly Mutant[]) => {
  const manifest = join(built, 'mutants.json')
  await writeFile(manifest, JSON.stringify(mutants))
  const args = [join(built, 'rotter.mjs'), fixture, join(place, 'copy'), manifest]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 })
  const rotten = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Rotten)
  const judged = await Promise.all(rotten.map(judgeOne))
  return {
    figures: {
      mutants: rotten.length,
      reported: judged.filter(({ isReported }) => isReported).length,
      edits: judged.filter(({ isEdit }) => isEdit).length,
      wrong: judged.filter(({ wrong }) => wrong.length > 0).length,
    },
    wrong: judged.flatMap((one) => one.wrong),
  }
}

test('bit rot: [C-ALL-9] is reported, hides no other record and stops nothing', { timeout: longest }, async () => {
  const all = await allMutants()
  const { figures, wrong } = await rot(programs, isLong ? all : sample(all, 120))
  report('bit rot', { of: all.length, ...figures })
  expect(wrong).toEqual([])
  expect(figures.mutants).toBeGreaterThanOrEqual(isLong ? 500 : 100)
})

test('bit rot: a build that checks no sums is caught', async () => {
  const built = await buildPrograms('blind-seal')
  const mutants = (await allMutants()).filter(({ file, how }) => file.includes('/.by-key/') && how === 'flip')
  const { figures, wrong } = await rot(built, mutants)
  await rm(built, { recursive: true, force: true })
  report('bit rot, planted', figures)
  expect(wrong).not.toEqual([])
})
