import { open, stat } from 'node:fs/promises'
import { errorCode } from './durable-file.ts'
import { signatureOf } from './file-watch.ts'
import { readLeftOut } from './output-log.ts'
import type { RunFolder } from './run-folder.ts'

/** Reads what an agent said, in order and once, while its supervisor puts parts of it aside. */
export interface OutputReader {
  /** What was written since the last call, in pieces; `isOver`: nobody writes any more. */
  read(isOver: boolean): AsyncGenerator<Buffer>
}

const chunkBytes = 64 * 1024
const headBytes = 64

async function* bytesOf(path: string, from: number): AsyncGenerator<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  })
  if (!file) return
  try {
    for (let position = from; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** Where in the older file what stood at this place of the output goes on. */
const placeInOlder = async (path: string, position: number): Promise<number> => {
  if (position === 0) return 0
  for await (const head of bytesOf(path, 0)) {
    const { bytes, length } = readLeftOut(head.toString('latin1', 0, headBytes))
    return position < bytes ? 0 : position - bytes + length
  }
  return 0
}

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0
    throw error
  }
}

/** Two rotations between two reads look like one: a reader that was suspended for so long misses what came between. */
export const createOutputReader = (paths: RunFolder): OutputReader => {
  let older: string | null = null
  let position = 0

  return {
    async *read(isOver) {
      const signature = signatureOf(paths.olderOutput)
      if (signature !== null && signature !== older) {
        // Renamed after the output was emptied, so what is in the output now comes after all of it.
        yield* bytesOf(paths.olderOutput, await placeInOlder(paths.olderOutput, position))
        older = signature
        position = 0
      } else if ((await sizeOf(paths.output)) < position) {
        // Emptied, and the older file about to be renamed; or its supervisor was killed in between.
        if (!isOver) return
        position = 0
      }
      for await (const piece of bytesOf(paths.output, position)) {
        position += piece.length
        yield piece
      }
    },
  }
}
