import { accessSync, chmodSync, constants, lstatSync, type Stats } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FsTools } from '../tools.ts'

/** What this user may not read and write below a root, of the entries that were looked at. */
export interface Denied {
  paths: string[]
  /** Those of them that belong to this user, who may change their modes. */
  own: string[]
  /** Entries looked at. */
  looked: number
}

/** A root of a million files is not walked for this. */
const mostLooks = 20_000

/** Every folder is written into; a file is read, and renamed by its folder's leave. */
const isOpen = (path: string, isFolder: boolean): boolean => {
  try {
    accessSync(path, isFolder ? constants.R_OK | constants.W_OK | constants.X_OK : constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

const statOf = (path: string): Stats | null => {
  try {
    return lstatSync(path)
  } catch {
    return null
  }
}

/** Breadth first, so that the documented folders come before what fills them. Symlinks are not followed. */
export const deniedBelow = async ({ root }: Pick<FsTools, 'root'>): Promise<Denied> => {
  const denied: Denied = { paths: [], own: [], looked: 0 }
  const folders = [root]
  const look = (path: string, isFolder: boolean): void => {
    denied.looked += 1
    if (isOpen(path, isFolder)) return
    denied.paths.push(path)
    if (statOf(path)?.uid === process.getuid?.()) denied.own.push(path)
  }
  look(root, true)
  for (let folder = folders.shift(); folder !== undefined && denied.looked < mostLooks; folder = folders.shift()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      if (entry.isDirectory() || entry.isFile()) look(path, entry.isDirectory())
      if (denied.looked >= mostLooks) break
    }
  }
  return denied
}

/** Gives their owner back what they need: reading and writing, and of folders entering. Nobody else gets anything. */
export const openToOwner = (paths: readonly string[]): void => {
  for (const path of paths) {
    const stat = statOf(path)
    if (stat?.isDirectory() || stat?.isFile())
      chmodSync(path, (stat.mode & 0o777) | (stat.isDirectory() ? 0o700 : 0o600))
  }
}

/** Takes from everybody but the owner the right to write into the root itself. */
export const closeToOthers = (root: string): void => chmodSync(root, lstatSync(root).mode & 0o755)
