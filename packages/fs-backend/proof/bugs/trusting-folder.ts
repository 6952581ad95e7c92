import { join } from 'node:path'
import type { OpenFolder, createWithFolder as real } from '../../src/folder.ts'
import { flags, sys } from '../../src/syscalls.ts'

const folderAt = (path: string): OpenFolder => ({
  path,
  at: (name) => join(path, name),
  inside: (below, work) => work(folderAt(below)),
})

/** Goes wherever the path leads. */
export const createWithFolder: typeof real = () => async (path, work) => {
  const fd = await sys.open(path, flags.O_RDONLY | flags.O_DIRECTORY)
  try {
    return await work({ ...folderAt(path), sync: () => sys.fsync(fd) })
  } finally {
    await sys.close(fd)
  }
}
