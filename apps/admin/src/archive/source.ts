import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAbortSignal, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { errorCode } from '@nexus/host/moving'
import { CommandError, usageError } from '../cli/exit.ts'
import { standardInput } from '../cli/input.ts'

/** An archive that can be read from its beginning as often as it is wanted. */
export interface Source extends AsyncDisposable {
  /** Its bytes, unpacked. */
  chunks(): AsyncIterable<Buffer>
}

/** So many times its size a packed archive may unpack to, beyond the first 64 MiB. Records of Nexus come to 5 to 50. */
const mostRatio = 200
const alwaysUnpacked = 64 * 1024 * 1024

const tooBig = (most: number, what: string): CommandError =>
  new CommandError(
    'failed',
    `The archive ${what} more than ${most} bytes. Nothing was imported. If it is yours, allow more with --max-size.`,
  )

const openFile = async (path: string): Promise<FileHandle> => {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ELOOP') throw usageError(`${path} is a symbolic link, which is not followed. Name the file itself.`)
    throw usageError(`${path} cannot be read (${code}).`)
  }
}

const cannotSpool = (error: unknown): unknown => {
  const code = errorCode(error)
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error
  return new CommandError(
    'failed',
    `There is no room for the archive of standard input in ${tmpdir()} (${code}). Set TMPDIR to a folder with more, or name a file.`,
  )
}

/** Standard input as a file of this user alone, which has no name from its beginning: even a killed command leaves none. */
const spool = async (most: number, signal: AbortSignal): Promise<AsyncDisposable & { file: FileHandle }> => {
  if (process.stdin.isTTY) throw usageError('Name a file, or give the archive on standard input.')
  const folder = await mkdtemp(join(tmpdir(), 'nexus-import-'))
  const file = await open(join(folder, 'archive'), 'wx+', 0o600)
  await rm(folder, { recursive: true, force: true })
  const close = (): Promise<void> => file.close()
  try {
    let size = 0
    for await (const chunk of addAbortSignal(signal, process.stdin)) {
      size += Buffer.byteLength(chunk)
      if (size > most) throw tooBig(most, 'is')
      await file.appendFile(chunk)
    }
  } catch (error) {
    await close()
    throw cannotSpool(error)
  }
  return { file, [Symbol.asyncDispose]: close }
}

const isPacked = async (file: FileHandle): Promise<boolean> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b
}

interface Opened {
  file: FileHandle
  /** As it was when it was opened. */
  stat: BigIntStats
}

/** What was verified is what is written: an archive that somebody changes between the two is not read on. */
const checkUnchanged = async ({ file, stat }: Opened): Promise<void> => {
  const { ctimeNs, size } = await file.stat({ bigint: true })
  if (ctimeNs === stat.ctimeNs && size === stat.size) return
  throw new CommandError(
    'failed',
    'The archive was changed while it was read. Repeat the command when nobody writes to it; what was imported before stays.',
  )
}

/** From the beginning, however often; a stream would close the file. */
async function* bytesOf(opened: Opened): AsyncGenerator<Buffer> {
  for (let from = 0; ; ) {
    const { buffer, bytesRead } = await opened.file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, from)
    await checkUnchanged(opened)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    from += bytesRead
  }
}

async function* unpacked(opened: Opened, most: number | null): AsyncGenerator<Buffer> {
  const limit = most ?? Math.max(alwaysUnpacked, Number(opened.stat.size) * mostRatio)
  const packed = Readable.from(bytesOf(opened))
  const gunzip = createGunzip()
  packed.on('error', (error) => gunzip.destroy(error))
  packed.pipe(gunzip)
  let total = 0
  try {
    for await (const chunk of gunzip) {
      total += chunk.length
      if (total > limit) throw tooBig(limit, 'unpacks to')
      yield chunk
    }
  } catch (error) {
    if (error instanceof CommandError || !errorCode(error)?.startsWith('Z_')) throw error
    throw new CommandError(
      'failed',
      `The archive cannot be unpacked (${errorCode(error)}): it is damaged or cut. Nothing was imported.`,
    )
  } finally {
    packed.destroy()
    gunzip.destroy()
  }
}

/** Standard input is taken up to this size, in bytes, unless another one is allowed. */
const usualMost = 64 * 1024 * 1024 * 1024

/**
 * Opens a file, or what comes on standard input; packed by gzip or not, as its first bytes say. `most`: bytes that it may
 * have, unpacked; null for the usual ones. No link is followed. The signal ends the wait for standard input.
 */
export const openSource = async (path: string, most: number | null, signal: AbortSignal): Promise<Source> => {
  const spooled = path === standardInput ? await spool(most ?? usualMost, signal) : null
  const file = spooled?.file ?? (await openFile(path))
  const close = (): PromiseLike<void> => spooled?.[Symbol.asyncDispose]() ?? file.close()
  const stat = await file.stat({ bigint: true })
  if (!stat.isFile()) {
    await close()
    throw usageError(`${path} is no file. Name one, or give the archive on standard input with -.`)
  }
  const packed = await isPacked(file)
  if (!packed && stat.size > (most ?? usualMost)) {
    await close()
    throw tooBig(most ?? usualMost, 'is')
  }
  return {
    chunks: () => (packed ? unpacked({ file, stat }, most) : bytesOf({ file, stat })),
    [Symbol.asyncDispose]: async () => close(),
  }
}
