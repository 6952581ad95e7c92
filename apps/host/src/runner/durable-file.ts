import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder and its missing parents; the new entries survive a power cut. */
export async function makeFolder(folder: string, mode?: number): Promise<void> {
  const parent = dirname(folder)
  const first = await mkdir(parent, { recursive: true })
  await mkdir(folder, { mode }).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error
  })
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
    for (const { temporary, path } of staged)
      await link(temporary, path).catch((error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error
      })
  } finally {
    await Promise.all(staged.map(({ temporary }) => rm(temporary, { force: true })))
  }
  await syncFolder(folder)
}

async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Creates a file with its whole content, or answers false because somebody was first.
 * A crash leaves either nothing (and a stray `.tmp`) or the complete file, never a part of it.
 */
export async function createOnce(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`
  let created = true
  try {
    await writeSynced(temporary, text)
    await link(temporary, path).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error
      created = false
    })
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(path))
  return created
}
