import { existsSync, renameSync, rmSync, symlinkSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createDice } from './dice.ts'
import { outsideFiles, outsideFolders } from './outside.ts'

const attempt = (work: () => void): boolean => {
  try {
    work()
    return true
  } catch {
    return false
  }
}

/** Turns what lies there into a symlink to its like outside, and back: for a moment there may be nothing. */
const swap = (target: string, parking: string, outside: string, wait: () => void): boolean => {
  const isParked = attempt(() => renameSync(target, parking))
  const isSwapped = attempt(() => symlinkSync(outside, target))
  wait()
  if (isSwapped) attempt(() => unlinkSync(target))
  // Where a store made it anew in between, that one stays.
  if (isParked && !attempt(() => renameSync(parking, target))) rmSync(parking, { recursive: true, force: true })
  return isSwapped
}

/** Over the file in one step, so that there is never nothing. */
const cover = (target: string, parking: string, outside: string, wait: () => void): boolean => {
  if (!existsSync(target)) return false
  symlinkSync(outside, parking)
  renameSync(parking, target)
  wait()
  return attempt(() => unlinkSync(target))
}

/** Makes parts of the root lead to their like outside, and back, as long as whoever started it lives. */
const [, , root = '', outside = '', seed = ''] = process.argv
process.stdin.on('end', () => process.exit(0)).resume()
const dice = createDice(Number(seed))
const nap = new Int32Array(new SharedArrayBuffer(4))
const wait = (): void => void Atomics.wait(nap, 0, 0, dice.roll() * 2)
const parking = join(dirname(outside), 'parked')
for (let swaps = 0; ; ) {
  const isFile = dice.below(3) === 0
  const path = dice.pick(isFile ? Object.keys(outsideFiles) : outsideFolders)
  const how = isFile && dice.below(2) === 0 ? cover : swap
  if (how(join(root, path), parking, join(outside, path), wait)) swaps += 1
  wait()
  if (swaps % 50 === 0) writeSync(1, `${swaps}\n`)
  await new Promise(setImmediate)
}
