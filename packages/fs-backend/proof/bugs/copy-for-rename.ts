import { copyFile } from 'node:fs/promises'
import { sys as real } from '../../src/syscalls.ts'

export { flags } from '../../src/syscalls.ts'

/** Writes over the file in its place. */
export const sys = {
  ...real,
  async rename(from: string, to: string): Promise<void> {
    await copyFile(from, to)
    await real.unlink(from)
  },
}
