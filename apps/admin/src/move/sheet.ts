import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreName } from '@nexus/core'
import { errorCode, makeFolder } from '@nexus/host/moving'

/** Of a key and of a content so much of its sha256 is kept, in bytes. */
const part = 16
const row = 2 * part
/** So many rows are held at a time. */
const rows = 32_768

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest().subarray(0, part)

/** A content as a sheet has it. */
export const contentMark = (content: string): string => digestOf(content).toString('hex')

/** In place of a content: the record came after its source was closed, and was left there. No content has this hash. */
export const leftMark = '0'.repeat(2 * part)

/** What a store held when its source was closed: the hashes of each key and of its content, in a file beside the move's own. */
interface Sheet extends AsyncDisposable {
  add(key: string, content: string): Promise<void>
  /** Durable when resolved. */
  end(): Promise<void>
}

export interface Sheets {
  /** Writes that of a store anew. */
  begin(store: StoreName): Promise<Sheet>
  /** The contents that these keys had, as `contentMark` gives them; null where there is no sheet. Reads it as a whole, a part at a time. */
  find(store: StoreName, keys: readonly string[]): Promise<Map<string, string> | null>
  /**
   * Adds what came after the source was closed, with a content each as `contentMark` gives it; the last row of a key counts.
   * Durable when resolved; killed before, a row that is cut off at the end is written over.
   */
  append(store: StoreName, marks: ReadonlyMap<string, string>): Promise<void>
  remove(): Promise<void>
}

const beginSheet = async (path: string): Promise<Sheet> => {
  const file = await open(path, 'w')
  let waiting: Buffer[] = []
  const flush = async (): Promise<void> => {
    await file.writeFile(Buffer.concat(waiting))
    waiting = []
  }
  return {
    async add(key, content) {
      waiting.push(digestOf(key), digestOf(content))
      if (waiting.length >= 2 * rows) await flush()
    },
    async end() {
      await flush()
      await file.sync()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

const appendRows = async (path: string, marks: ReadonlyMap<string, string>): Promise<void> => {
  const added = [...marks].flatMap(([key, content]) => [digestOf(key), Buffer.from(content, 'hex')])
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    await file.write(Buffer.concat(added), 0, added.length * part, size - (size % row))
    await file.sync()
  } finally {
    await file.close()
  }
}

const openOrNull = async (path: string): Promise<FileHandle | null> => {
  try {
    return await open(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

/** A read may end anywhere; a row is whole. */
async function* rowsOf(file: FileHandle): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of file.createReadStream({ highWaterMark: rows * row, autoClose: false })) {
    const bytes = Buffer.concat([rest, chunk])
    const whole = bytes.length - (bytes.length % row)
    for (let at = 0; at < whole; at += row) yield bytes.subarray(at, at + row)
    rest = bytes.subarray(whole)
  }
}

/** The sheets of one move, in its folder. */
export const openSheets = (place: string, id: string, stores: readonly StoreName[]): Sheets => {
  const path = (store: StoreName): string => join(place, `${id}.${store}.sheet`)
  return {
    async begin(store) {
      await makeFolder(place)
      return beginSheet(path(store))
    },
    async find(store, keys) {
      const file = await openOrNull(path(store))
      if (!file) return null
      const wanted = new Map(keys.map((key) => [digestOf(key).toString('hex'), key]))
      const found = new Map<string, string>()
      try {
        for await (const bytes of rowsOf(file)) {
          const key = wanted.get(bytes.toString('hex', 0, part))
          if (key !== undefined) found.set(key, bytes.toString('hex', part))
        }
      } finally {
        await file.close()
      }
      return found
    },
    async append(store, marks) {
      if (marks.size > 0) await appendRows(path(store), marks)
    },
    async remove() {
      for (const store of stores) await rm(path(store), { force: true })
    },
  }
}
