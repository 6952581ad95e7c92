import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIds, isStoreError, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { type Observation, observe } from './observe.ts'

/** One file and what becomes of its bytes. */
export interface Mutant {
  file: string
  how: 'flip' | 'cut' | 'zero' | 'empty'
  at: number
}

/** What the stores made of it: which records read otherwise than before, and what was called corrupt. */
export interface Rotten extends Mutant {
  changed: string[]
  corrupt: number
  /** What was thrown, where something was. */
  thrown: string | null
}

const [, , fixture = '', copy = '', manifest = ''] = process.argv

const look = async (root: string): Promise<Observation> => {
  const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger }
  const backend = await openFsBackend({ root, ...context, liveness: () => 'unknown' })
  return observe(backend, root)
}

const damage = (bytes: Buffer, { how, at }: Mutant): Buffer => {
  const place = Math.floor(at * bytes.length)
  if (how === 'cut') return bytes.subarray(0, place)
  if (how === 'empty') return Buffer.alloc(0)
  if (how === 'zero') return Buffer.from(bytes).fill(0, place, Math.min(place + 16, bytes.length))
  const flipped = Buffer.from(bytes)
  flipped[place] = (flipped[place] ?? 0) ^ 1
  return flipped
}

const fresh = (): void => {
  rmSync(copy, { recursive: true, force: true })
  cpSync(fixture, copy, { recursive: true, preserveTimestamps: true })
}

const changedIn = (before: Observation, { records }: Observation): string[] =>
  [...new Set([...before.records.keys(), ...records.keys()])].filter(
    (record) => before.records.get(record)?.join() !== records.get(record)?.join(),
  )

fresh()
const before = await look(copy)
for (const mutant of JSON.parse(readFileSync(manifest, 'utf8')) as Mutant[]) {
  fresh()
  writeFileSync(join(copy, mutant.file), damage(readFileSync(join(fixture, mutant.file)), mutant))
  const rotten: Rotten = { ...mutant, changed: [], corrupt: 0, thrown: null }
  try {
    const after = await look(copy)
    rotten.changed = changedIn(before, after)
    rotten.corrupt = after.corrupt.length
  } catch (error) {
    rotten.thrown = isStoreError(error) ? `${error.code}: ${error.message}` : `untyped ${String(error)}`
  }
  process.stdout.write(`${JSON.stringify(rotten)}\n`)
}
