import { closeSync, existsSync, openSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { flags, sys } from './syscalls.ts'

/** A folder below the root, held open: what is done at `at(name)` happens in this folder, whatever its path becomes. */
export interface OpenFolder {
  readonly path: string
  at(name: string): string
  /** Runs `work` at once with a folder below this one; no symlink is followed from here to there. */
  inside<T>(path: string, work: (folder: OpenFolder) => T): T
}

export interface Folder extends OpenFolder {
  sync(): Promise<void>
}

/** Opens folders below one root without ever following a symlink. */
export type WithFolder = <T>(path: string, work: (folder: Folder) => Promise<T>) => Promise<T>

const symlinkError = (path: string): Error =>
  Object.assign(new Error(`ELOOP: symlink on the way to ${path}`), { code: 'ELOOP', path })

const absentError = (path: string): Error =>
  Object.assign(new Error(`ENOENT: no such folder ${path}`), { code: 'ENOENT', path })

/**
 * A symlink swapped in anywhere on the way shows in the real path of the opened descriptor. Opening a folder reads and
 * writes nothing, so looking afterwards is early enough.
 */
const checkDescriptor = async (fd: number, path: string): Promise<void> => {
  const real = await sys.readlink(`/proc/self/fd/${fd}`)
  if (real === path) return
  throw real === `${path} (deleted)` ? absentError(path) : symlinkError(path)
}

/** Where the system has no /proc, a symlink swapped in between this look and the use is not seen. */
const checkPath = async (root: string, path: string): Promise<void> => {
  let at = root
  for (const part of relative(root, path).split(sep)) {
    at = join(at, part)
    if ((await sys.lstat(at)).isSymbolicLink()) throw symlinkError(at)
  }
}

const how = flags.O_RDONLY | flags.O_DIRECTORY | flags.O_NOFOLLOW

const createOpenFolder = (hasDescriptorPaths: boolean) => {
  const openFolder = (path: string, fd: number): OpenFolder => {
    const base = hasDescriptorPaths ? `/proc/self/fd/${fd}` : path
    const step = <T>([name = '', ...rest]: readonly string[], work: (folder: OpenFolder) => T): T => {
      const below = openSync(`${base}/${name}`, how)
      try {
        const folder = openFolder(join(path, name), below)
        return rest.length > 0 ? folder.inside(join(folder.path, ...rest), work) : work(folder)
      } finally {
        closeSync(below)
      }
    }
    return { path, at: (name) => `${base}/${name}`, inside: (to, work) => step(relative(path, to).split(sep), work) }
  }
  return openFolder
}

/** `root` must be a real path. */
export const createWithFolder = (root: string): WithFolder => {
  const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd')
  const openFolder = createOpenFolder(hasDescriptorPaths)
  return async (path, work) => {
    const fd = await sys.open(path, how)
    try {
      await (hasDescriptorPaths ? checkDescriptor(fd, path) : checkPath(root, path))
      return await work({ ...openFolder(path, fd), sync: () => sys.fsync(fd) })
    } finally {
      await sys.close(fd)
    }
  }
}
