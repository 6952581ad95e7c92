import { closeSync, existsSync, openSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { createShared, type Shared } from './shared.ts'
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

/**
 * Whoever changed a folder while it is being synced shares the next sync of it, which begins after all of their changes.
 * Told apart by what the descriptor is of: a path may have become another folder.
 */
const createSyncs = () => {
  const syncs = new Map<string, { users: number; sync: Shared<number, void> }>()
  return async (fd: number): Promise<void> => {
    const { dev, ino } = await sys.fstat(fd)
    const id = `${dev}:${ino}`
    // Each of them holds its descriptor open until it has its answer.
    const shared = syncs.get(id) ?? {
      users: 0,
      sync: createShared(([first = fd]: readonly number[]) => sys.fsync(first)),
    }
    syncs.set(id, shared)
    shared.users += 1
    try {
      await shared.sync(fd)
    } finally {
      shared.users -= 1
      if (shared.users === 0) syncs.delete(id)
    }
  }
}

/** Whoever wants a folder that is open already shares the descriptor, once it is sure that the path still leads there. */
interface Handle {
  fd: number
  users: number
  /** When its path led there, on the process's own clock. */
  sureAt: number
}

/** Less than a step of a longer protocol lies between its look and its use anyway. */
const sureMs = 1

/** `root` must be a real path. */
export const createWithFolder = (root: string): WithFolder => {
  const syncOf = createSyncs()
  const hasDescriptorPaths = process.platform === 'linux' && existsSync('/proc/self/fd')
  const openFolder = createOpenFolder(hasDescriptorPaths)
  const handles = new Map<string, Handle>()

  const release = async (path: string, handle: Handle): Promise<void> => {
    handle.users -= 1
    if (handle.users > 0) return
    if (handles.get(path) === handle) handles.delete(path)
    await sys.close(handle.fd)
  }

  const shared = async (path: string): Promise<Handle | null> => {
    const handle = handles.get(path)
    if (!handle) return null
    handle.users += 1
    const now = performance.now()
    if (now - handle.sureAt < sureMs) return handle
    if ((await sys.readlink(`/proc/self/fd/${handle.fd}`)) === path) {
      handle.sureAt = now
      return handle
    }
    await release(path, handle)
    return null
  }

  const open = async (path: string): Promise<Handle> => {
    const handle = { fd: await sys.open(path, how), users: 1, sureAt: performance.now() }
    try {
      await (hasDescriptorPaths ? checkDescriptor(handle.fd, path) : checkPath(root, path))
    } catch (error) {
      await release(path, handle)
      throw error
    }
    if (hasDescriptorPaths) handles.set(path, handle)
    return handle
  }

  return async (path, work) => {
    const handle = (await shared(path)) ?? (await open(path))
    try {
      return await work({ ...openFolder(path, handle.fd), sync: () => syncOf(handle.fd) })
    } catch (error) {
      // The folder may be gone: whoever makes it anew must not be given this one.
      handle.sureAt = Number.NEGATIVE_INFINITY
      throw error
    } finally {
      await release(path, handle)
    }
  }
}
