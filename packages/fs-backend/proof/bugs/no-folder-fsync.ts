import { sys as real } from '../../src/syscalls.ts'

export { flags } from '../../src/syscalls.ts'

/** Syncs files, and not the folders that name them. */
export const sys = {
  ...real,
  async fsync(fd: number): Promise<void> {
    if (!(await real.fstat(fd)).isDirectory()) await real.fsync(fd)
  },
}
