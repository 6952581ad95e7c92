import { basename, dirname, join } from 'node:path'
import { StoreError } from '@nexus/core'
import type { Folder } from '../folder.ts'
import { errnoOf, isAbsent, storeErrorOf } from '../fs-errors.ts'
import { flags, sys } from '../syscalls.ts'
import type { FsTools } from '../tools.ts'

/**
 * Who has a name: for each key at most one owner, named by a token. An entry is a folder that holds one empty file of
 * the owner's name, so that each step is one atomic rename or unlink that names what it expects: a folder renamed over
 * an empty one, owner renamed to owner, owner unlinked. A process that was stopped in between changes nothing when it
 * goes on.
 */
export interface Register {
  /** Takes a free key, or one whose owner does not live. */
  acquire(key: string, token: string, isLive: (owner: string) => Promise<boolean>): Promise<Acquired>
  owner(key: string): Promise<string | null>
  /** Gives the key up where `token` has it. Not synced: after a power cut it is a key whose owner does not live. */
  release(key: string, token: string): Promise<void>
  entries(): Promise<RegisterEntry[]>
}

interface RegisterEntry {
  key: string
  token: string
}

type Acquired = { status: 'acquired' } | { status: 'taken'; owner: string }

export interface RegisterPlace {
  folder: string
  /** Where entries are prepared, on the same file system. */
  temp: string
}

const mostTurns = 100

const expected = async (work: Promise<unknown>, errnos: readonly string[]): Promise<boolean> => {
  try {
    await work
    return true
  } catch (error) {
    if (errnos.includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

/** Removes an entry that was prepared and never placed. */
export const removeEntry = async ({ reading, withFolder }: FsTools, path: string): Promise<void> => {
  try {
    for (const token of await reading.files(path)) await withFolder(path, (entry) => sys.unlink(entry.at(token)))
    await withFolder(dirname(path), (temps) => sys.rmdir(temps.at(basename(path))))
  } catch (error) {
    if (!isAbsent(error)) throw storeErrorOf(error, path)
  }
}

/** Puts an entry where its key is free. */
const createPlacing = (tools: FsTools, { folder, temp }: RegisterPlace) => {
  const { atomic, withFolder, ids } = tools

  const prepare = async (temps: Folder, name: string, token: string): Promise<void> => {
    await sys.mkdir(temps.at(name))
    await withFolder(join(temp, name), async (entry) => {
      await sys.close(await sys.open(entry.at(token), flags.O_WRONLY | flags.O_CREAT | flags.O_EXCL, 0o600))
      await entry.sync()
    })
  }

  /**
   * False where the key has an owner, since a folder is never renamed over one that is not empty; and where what was
   * prepared was cleaned away, because this process slept too long.
   */
  return async (key: string, token: string): Promise<boolean> => {
    const path = join(folder, key)
    await atomic.makeFolder(temp)
    await atomic.makeFolder(dirname(path))
    return withFolder(temp, async (temps) => {
      const name = ids.next()
      if (!(await expected(prepare(temps, name, token), ['ENOENT']))) return false
      return withFolder(dirname(path), async (fan) => {
        const moved = sys.rename(temps.at(name), fan.at(basename(path)))
        if (await expected(moved, ['ENOTEMPTY', 'EEXIST', 'ENOENT'])) {
          await fan.sync()
          return true
        }
        await removeEntry(tools, join(temp, name))
        return false
      })
    })
  }
}

/** False where `from` has it no longer. */
const swap = ({ withFolder }: FsTools, path: string, from: string, to: string): Promise<boolean> =>
  withFolder(path, async (entry) => {
    if (!(await expected(sys.rename(entry.at(from), entry.at(to)), ['ENOENT']))) return false
    await entry.sync()
    return true
  }).catch((error: unknown) => {
    if (isAbsent(error)) return false
    throw error
  })

export const createRegister = (tools: FsTools, registerPlace: RegisterPlace): Register => {
  const { atomic, reading, withFolder } = tools
  const { folder } = registerPlace
  const place = createPlacing(tools, registerPlace)
  const owner = async (key: string): Promise<string | null> => (await reading.files(join(folder, key)))[0] ?? null

  const acquire: Register['acquire'] = async (key, token, isLive) => {
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const present = await owner(key)
      if (present === null) {
        if (await place(key, token)) return { status: 'acquired' }
      } else if (present === token) {
        await atomic.syncFolder(join(folder, key))
        await atomic.syncFolder(dirname(join(folder, key)))
        return { status: 'acquired' }
      } else if (await isLive(present)) return { status: 'taken', owner: present }
      else if (await swap(tools, join(folder, key), present, token)) return { status: 'acquired' }
    }
    throw new StoreError({ code: 'unavailable', message: `${join(folder, key)}: other processes keep changing it.` })
  }

  const entries = async (): Promise<RegisterEntry[]> => {
    const found: RegisterEntry[] = []
    for (const fan of await reading.folders(folder))
      for (const name of await reading.folders(join(folder, fan)))
        for (const token of await reading.files(join(folder, fan, name))) found.push({ key: join(fan, name), token })
    return found
  }

  return {
    owner,
    entries,
    async acquire(key, token, isLive) {
      try {
        return await acquire(key, token, isLive)
      } catch (error) {
        throw storeErrorOf(error, join(folder, key))
      }
    },
    async release(key, token) {
      const path = join(folder, key)
      try {
        const isOwner = await withFolder(path, (entry) => expected(sys.unlink(entry.at(token)), ['ENOENT']))
        if (!isOwner) return
        await withFolder(dirname(path), (fan) =>
          expected(sys.rmdir(fan.at(basename(path))), ['ENOTEMPTY', 'EEXIST', 'ENOENT']),
        )
      } catch (error) {
        if (!isAbsent(error)) throw storeErrorOf(error, path)
      }
    },
  }
}
