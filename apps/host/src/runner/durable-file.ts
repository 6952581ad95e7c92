import { randomBytes } from 'node:crypto'
import { closeSync, fsync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** The one call that waits for the disk; the others cost less than asking another thread for them. */
const sync = promisify(fsync)

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** False where something of that name is there. */
function unlessExists(make: () => void): boolean {
  try {
    make()
    return true
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    return false
  }
}

/** When it resolves, what was made, renamed or removed in the folder survives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r')
  try {
    await sync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Makes a folder and its missing parents, at once; when it resolves, the new entries survive a power cut. */
export async function makeFolder(folder: string, mode?: number): Promise<void> {
  const parent = dirname(folder)
  const first = mkdirSync(parent, { recursive: true })
  unlessExists(() => mkdirSync(folder, { mode }))
  // Also when the folder was there: its maker may not have reached its own fsync yet.
  await syncFolder(parent)
  if (!first) return
  for (let made = parent; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

/**
 * Creates files of one folder with their whole contents, in this order; what is there already stays. A crash leaves the
 * first of them or all. Only a power cut may leave a later one without an earlier one: creating them again mends it.
 */
export async function createAll(
  folder: string,
  files: readonly (readonly [path: string, text: string])[],
): Promise<void> {
  const staged = files.map(([path, text]) => ({
    path,
    text,
    temporary: `${path}.${randomBytes(8).toString('hex')}.tmp`,
  }))
  try {
    await Promise.all(staged.map(({ temporary, text }) => writeSynced(temporary, text)))
    for (const { temporary, path } of staged) unlessExists(() => linkSync(temporary, path))
  } finally {
    for (const { temporary } of staged) rmSync(temporary, { force: true })
  }
  await syncFolder(folder)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(descriptor, text)
    await sync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Creates a file with its whole content, or answers false because somebody was first.
 * A crash leaves either nothing (and a stray `.tmp`) or the complete file, never a part of it.
 */
export async function createOnce(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  let created: boolean
  try {
    await writeSynced(temporary, text)
    created = unlessExists(() => linkSync(temporary, path))
  } finally {
    rmSync(temporary, { force: true })
  }
  await syncFolder(dirname(path))
  return created
}

/** Replaces a file in one step, durable when resolved. A crash leaves the old file or the new one (and a stray `.tmp`). */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  try {
    await writeSynced(temporary, text)
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
  await syncFolder(dirname(path))
}
