import { sys as real } from '../../src/syscalls.ts'

export { flags } from '../../src/syscalls.ts'

/** Takes a short write for a whole one. */
export const sys = {
  ...real,
  async write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number) {
    const written = await real.write(fd, bytes, offset, length, position)
    return { ...written, bytesWritten: length }
  },
}
