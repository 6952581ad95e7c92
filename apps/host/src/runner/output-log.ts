import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import type { RunFolder } from './run-folder.ts'

const chunkBytes = 1024 ** 2

const copy = (source: number, target: number, from: number, until: number): number => {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let position = from
  while (position < until) {
    const read = readSync(source, buffer, 0, chunkBytes, position)
    if (read === 0) break
    for (let written = 0; written < read; ) written += writeSync(target, buffer, written, read - written)
    position += read
  }
  return position
}

/** What the older file begins with where not all of it was kept: how many bytes of that output are missing in front. */
const leftOut = (bytes: number): string => `[nexus: ${bytes} bytes left out]\n`

/** How many bytes the first line of an older file says are missing, and how long that line is. */
export const readLeftOut = (head: string): { bytes: number; length: number } => {
  const found = /^\[nexus: (\d{1,15}) bytes left out\]\n/.exec(head)
  return found ? { bytes: Number(found[1]), length: found[0].length } : { bytes: 0, length: 0 }
}

const copyAside = (source: number, place: string, maxBytes: number): void => {
  const target = openSync(place, 'w', 0o600)
  try {
    const { size } = fstatSync(source)
    // A burst between two looks must not double itself: of a very long output only the end is kept.
    const from = size > 2 * maxBytes ? size - maxBytes : 0
    if (from > 0) writeSync(target, leftOut(from))
    copy(source, target, from, size + maxBytes)
  } catch (error) {
    rmSync(place, { force: true })
    throw error
  } finally {
    closeSync(target)
  }
}

/**
 * Puts an output that has grown too long aside as the one older file. The agent keeps its descriptor, which appends, so
 * the output is copied and then emptied: what the agent writes between the last read and the emptying is lost, some
 * microseconds of it. Killed between the emptying and the rename, the older part stands in `output.log.1.tmp`.
 */
export function rotateOutput(paths: RunFolder, maxBytes: number): void {
  if ((statSync(paths.output, { throwIfNoEntry: false })?.size ?? 0) <= maxBytes) return
  const temporary = `${paths.olderOutput}.tmp`
  try {
    const source = openSync(paths.output, 'r+')
    try {
      copyAside(source, temporary, maxBytes)
      ftruncateSync(source, 0)
    } finally {
      closeSync(source)
    }
    renameSync(temporary, paths.olderOutput)
  } catch {
    // A full disk: nothing is lost, the output stays as it is, and a later look tries again.
  }
}
