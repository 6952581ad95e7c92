import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, readlink, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** One entry of a tree: bytes or text at a path below the place that holds `.nexus`. */
export interface ExistingFile {
  path: string
  content: string | Uint8Array
  /** Day of March 2025 of its last change. */
  day: number
}

/** The records that a tree holds, as its folders and names tell. */
export interface ExistingRecords {
  workflows: readonly string[]
  hostState: readonly string[]
  /** `project/state/filename` */
  taskFiles: readonly string[]
  /** `project/issue/agent`, the agent without the `@` that some put before it. */
  completions: readonly string[]
  /** `project/filename` */
  inbox: readonly string[]
}

/** A place with a `.nexus` as the earlier implementation left it. */
export interface ExistingTree {
  name: string
  files: readonly ExistingFile[]
  /** Symbolic links: path and target. */
  links: readonly (readonly [string, string])[]
  readable: ExistingRecords
  /** What is there and cannot be read: it has to be reported, by its path. */
  corrupt: readonly string[]
}

export const file = (path: string, content: string | Uint8Array, day = 1): ExistingFile => ({ path, content, day })

/** Writes the tree with plain calls of the file system. */
export const plantTree = async (place: string, { files, links }: ExistingTree): Promise<void> => {
  for (const { path, content, day } of files) {
    const target = join(place, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
    const time = Date.UTC(2025, 2, day, 9, 15, 2) / 1000
    await utimes(target, time, time)
  }
  for (const [path, target] of links) {
    await mkdir(dirname(join(place, path)), { recursive: true })
    await symlink(target, join(place, path))
  }
}

/** Every file and link below a place, by path, with the sha256 of its bytes or of its target. */
export const treeDigests = async (place: string): Promise<Map<string, string>> => {
  const digests = new Map<string, string>()
  const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(place.length + 1)
    if (entry.isSymbolicLink()) digests.set(name, `link ${sha256(await readlink(path))}`)
    else if (entry.isFile()) digests.set(name, sha256(await readFile(path)))
  }
  return digests
}
