import fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'

/** How long calls may follow one another before what else waits in this process gets its turn, in milliseconds. */
const sliceMs = 5

/** Up to so many bytes the system copies in less time than another thread is asked in. */
const fewBytes = 65_536

const longRead = promisify(fs.read)
const longWrite = promisify(fs.write)

/**
 * Calls that wait for no disk are made at once: asking another thread for each costs ten times the call, and a durable
 * write is some forty of them. What waits for the disk (fsync) or takes its time never holds up the loop.
 */
const createCalls = () => {
  let sliceBegan = performance.now()

  const fairly = async (): Promise<void> => {
    if (performance.now() - sliceBegan < sliceMs) return
    await nextTurn()
    sliceBegan = performance.now()
  }

  const atOnce =
    <Given extends readonly unknown[], Answer>(call: (...given: Given) => Answer) =>
    async (...given: Given): Promise<Answer> => {
      await fairly()
      return call(...given)
    }

  const writeAtOnce = atOnce((fd: number, bytes: Uint8Array, from: number, length: number, at: number | null) => ({
    bytesWritten: fs.writeSync(fd, bytes, from, length, at),
  }))
  const readAtOnce = atOnce((fd: number, bytes: Uint8Array, from: number, length: number, at: number | null) => ({
    bytesRead: fs.readSync(fd, bytes, from, length, at),
  }))

  return {
    open: atOnce((path: string, how: number, mode?: number) => fs.openSync(path, how, mode)),
    close: atOnce((fd: number) => fs.closeSync(fd)),
    write: (fd: number, bytes: Uint8Array, from: number, length: number, at: number | null) =>
      (length > fewBytes ? longWrite : writeAtOnce)(fd, bytes, from, length, at),
    read: (fd: number, bytes: Uint8Array, from: number, length: number, at: number | null) =>
      (length > fewBytes ? longRead : readAtOnce)(fd, bytes, from, length, at),
    fsync: promisify(fs.fsync),
    fstat: atOnce((fd: number) => fs.fstatSync(fd)),
    lstat: atOnce((path: string) => fs.lstatSync(path)),
    rename: atOnce((from: string, to: string) => fs.renameSync(from, to)),
    link: atOnce((from: string, to: string) => fs.linkSync(from, to)),
    unlink: atOnce((path: string) => fs.unlinkSync(path)),
    rmdir: atOnce((path: string) => fs.rmdirSync(path)),
    mkdir: atOnce((path: string) => fs.mkdirSync(path)),
    readdir: promisify(fs.readdir),
    readdirAtOnce: atOnce((path: string) => fs.readdirSync(path, { withFileTypes: true })),
    opendir: promisify(fs.opendir),
    readlink: atOnce((path: string) => fs.readlinkSync(path)),
    realpath: promisify(fs.realpath),
    /** Times in seconds or as dates. */
    futimes: atOnce((fd: number, accessed: number | Date, modified: number | Date) =>
      fs.futimesSync(fd, accessed, modified),
    ),
  } as const
}

/** Bare descriptors, so that a folder can be held open and named by `/proc/self/fd`. */
export const sys = createCalls()

export const flags = fs.constants
