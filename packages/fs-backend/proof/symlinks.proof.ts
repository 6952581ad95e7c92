import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshRoot } from '../test/harness.ts'
import { buildPrograms } from './building.ts'
import { prepareOutside } from './programs/outside.ts'
import type { Wandered } from './programs/wanderer.ts'
import { isLong, longest, report } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? 1)

/** Every name, content and time of change: a file that was there for a moment only leaves its folder's time. */
const fingerprintOf = (folder: string): string[] =>
  ['.', ...readdirSync(folder, { recursive: true }).map(String)].sort().map((name) => {
    const path = join(folder, name)
    const { mtimeMs, ino } = lstatSync(path)
    const sum = lstatSync(path).isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
    return `${name} ${ino} ${mtimeMs} ${sum}`
  })

/** Another process that swaps, as long as this block lasts. */
const startSwapper = async (built: string, root: string, outside: string) => {
  const child = spawn(process.execPath, [join(built, 'swapper.mjs'), root, outside, String(seed)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let swaps = 0
  const output = createInterface(child.stdout)
  output.on('line', (line) => {
    swaps = Number(line)
  })
  await once(output, 'line')
  return {
    swaps: () => swaps,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(output, 'close')
    },
  }
}

const wander = async (built: string, count: number) => {
  const place = await freshRoot()
  const [root, outside] = [join(place, 'root'), join(place, 'outside')]
  const walk = async (role: 'writer' | 'reader'): Promise<Wandered> => {
    const args = [join(built, 'wanderer.mjs'), root, role, String(count / 2), String(seed)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 })
    return JSON.parse(stdout) as Wandered
  }
  try {
    await mkdir(root)
    prepareOutside(outside)
    const before = fingerprintOf(outside)
    await using swapper = await startSwapper(built, root, outside)
    const met = await Promise.all([walk('writer'), walk('reader')])
    const after = fingerprintOf(outside)
    const changed = [
      ...after.filter((line) => !before.includes(line)),
      ...before.filter((line) => !after.includes(line)),
    ]
    const sum = (figure: 'operations' | 'through'): number => met.reduce((total, one) => total + one[figure], 0)
    const leaked = met.flatMap((one) => one.leaked)
    const untyped = met.flatMap((one) => one.untyped)
    return {
      figures: {
        operations: sum('operations'),
        through: sum('through'),
        swaps: swapper.swaps(),
        reads: leaked.length,
        writes: changed.length,
        untyped: untyped.length,
      },
      faults: [...leaked, ...changed, ...untyped].join('\n'),
    }
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

test('symlinks: [C-FILES-3] swapped in at any moment, they lead nowhere', { timeout: longest }, async () => {
  const { figures, faults } = await wander(programs, isLong ? 20_000 : 1_200)
  report('symlinks', { ...figures, seed })
  expect(faults).toBe('')
  expect(figures).toMatchObject({ reads: 0, writes: 0, untyped: 0 })
  expect(figures.through).toBeGreaterThan(figures.operations / 4)
  expect(figures.swaps).toBeGreaterThan(100)
})

test('symlinks: a build that goes where the path leads is caught', async () => {
  const built = await buildPrograms('trusting-folder')
  const { figures } = await wander(built, 500)
  await rm(built, { recursive: true, force: true })
  report('symlinks, planted', { ...figures, seed })
  expect(figures.reads + figures.writes).toBeGreaterThan(0)
})
