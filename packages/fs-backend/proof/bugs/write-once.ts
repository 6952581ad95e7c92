import { sys as short } from './short-writes.ts'

export { flags } from './short-writes.ts'

/** Takes a short write, or one for which there was no room, for a whole one. */
export const sys = {
  ...short,
  async write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number) {
    await short.write(fd, bytes, offset, length, position).catch(() => undefined)
    return { bytesWritten: length, buffer: bytes }
  },
}
