import { basename, dirname } from 'node:path'
import type { Folder } from '../folder.ts'
import { flags, sys } from '../syscalls.ts'
import type { FsTools } from '../tools.ts'

/** What came into a folder of the queue, or left it. */
interface Item {
  kind: '+' | '-'
  folder: string
  file: string
}

/** How far somebody has read; `ino` is null where there were no news yet. */
export interface Mark {
  ino: number | null
  at: number
}

/**
 * What changed in folders that are too big to be listed all the time, told to whoever keeps an index of one. Only a
 * hint, and not synced: what is lost here, by a crash or a full disk, is found when the folder is listed.
 */
export interface News {
  /** Never rejects. */
  tell(item: Item): Promise<void>
  /** Where the news end now. */
  mark(): Promise<Mark>
  /** What was told since; null where that cannot be known, so that the folder has to be listed. */
  since(mark: Mark): Promise<{ items: Item[]; mark: Mark } | null>
}

/** What is written at once is in one piece for every reader. */
const mostBytes = 4000

/** From here on the file begins anew, and everybody lists. */
const fullBytes = 4 * 1024 * 1024

/** A newline on both sides: what was cut off before it spoils no other line. */
const encode = ({ kind, folder, file }: Item): string => `\n${JSON.stringify([kind, folder, file])}\n`

const decode = (line: string): Item[] => {
  try {
    const [kind, folder, file]: unknown[] = JSON.parse(line)
    const isItem = (kind === '+' || kind === '-') && typeof folder === 'string' && typeof file === 'string'
    return isItem ? [{ kind, folder, file }] : []
  } catch {
    return []
  }
}

const inPieces = (lines: readonly string[]): string[] => {
  const pieces = ['']
  for (const line of lines) {
    const last = pieces.at(-1) ?? ''
    if (last !== '' && Buffer.byteLength(last) + Buffer.byteLength(line) > mostBytes) pieces.push(line)
    else pieces[pieces.length - 1] = last + line
  }
  return pieces
}

/** Whole lines only: the rest of the last one is still being written. */
const readLines = async (fd: number, from: number, to: number): Promise<Buffer> => {
  const bytes = Buffer.alloc(to - from)
  const { bytesRead } = await sys.read(fd, bytes, 0, bytes.length, from)
  return bytes.subarray(0, bytes.lastIndexOf('\n', bytesRead - 1) + 1)
}

export interface NewsParts extends Pick<FsTools, 'atomic' | 'withFolder'> {
  path: string
  full?: number
}

export const createNews = ({ atomic, withFolder, path, full = fullBytes }: NewsParts): News => {
  const waiting: string[] = []
  let told = Promise.resolve()

  const write = async (): Promise<void> => {
    const lines = waiting.splice(0)
    if (lines.length === 0) return
    for (const piece of inPieces(lines))
      if ((await atomic.loose.append(path, piece)).size > full) await atomic.loose.remove(path)
  }

  const open = async (folder: Folder): Promise<number | null> => {
    const how = flags.O_RDONLY | flags.O_NOFOLLOW | flags.O_NONBLOCK
    return sys.open(folder.at(basename(path)), how).catch(() => null)
  }

  /** `absent` also where there is no plain file or it cannot be read: then everybody lists. */
  const opened = async <T>(absent: T, work: (fd: number, end: Mark) => Promise<T>): Promise<T> => {
    const fd = await withFolder(dirname(path), open).catch(() => null)
    if (fd === null) return absent
    try {
      const stat = await sys.fstat(fd)
      return stat.isFile() ? await work(fd, { ino: stat.ino, at: stat.size }) : absent
    } finally {
      await sys.close(fd)
    }
  }

  return {
    tell(item) {
      waiting.push(encode(item))
      told = told.then(write).catch(() => undefined)
      return told
    },
    mark: () => opened<Mark>({ ino: null, at: 0 }, async (_, end) => end),
    since: (mark) =>
      opened(mark.ino === null ? { items: [], mark } : null, async (fd, end) => {
        const isSame = mark.ino === null || mark.ino === end.ino
        if (!isSame || end.at < mark.at || end.at - mark.at > full) return null
        if (end.at === mark.at) return { items: [], mark: end }
        const lines = await readLines(fd, mark.at, end.at)
        const items = lines.toString('utf8').split('\n').flatMap(decode)
        return { items, mark: { ino: end.ino, at: mark.at + lines.length } }
      }),
  }
}
