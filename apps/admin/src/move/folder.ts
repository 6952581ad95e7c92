import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  createOnce,
  currentProcess,
  errorCode,
  formatIdentity,
  makeFolder,
  ownerLife,
  replaceFile,
} from '@nexus/host/moving'
import { CommandError } from '../cli/exit.ts'
import { Migration } from './migration.ts'
import { openSheets, type Sheets } from './sheet.ts'

/** Where moves are remembered, below the root: one file for each, which becomes its receipt, and the lock. */
export interface MoveFolder {
  readonly place: string
  /** Oldest first. */
  list(): Promise<Migration[]>
  /** Durable when resolved. */
  save(migration: Migration): Promise<void>
  /** What the source of a move held when it was closed. */
  sheets(migration: Pick<Migration, 'id' | 'stores'>): Sheets
  /** Where the receipt of a move lies. */
  file(id: string): string
  /** One migrator at a time on this root; throws `locked` while another one lives. A killed one holds nothing. */
  lock(): Promise<AsyncDisposable>
}

const readOrNull = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

const readMigration = async (path: string): Promise<Migration> => {
  const text = (await readOrNull(path)) ?? ''
  try {
    return Migration.parse(JSON.parse(text))
  } catch {
    throw new CommandError('failed', `${path} cannot be read as the record of a move. Put it aside, or restore it.`)
  }
}

const isMigration = (name: string): boolean => name.endsWith('.json')

const removeOwn = async (path: string, own: string): Promise<void> => {
  if ((await readOrNull(path)) === own) await rm(path, { force: true })
}

/**
 * Takes the lock of one that is dead out of the way. Only whoever has made a second file may do that, and looks again first: so nobody
 * removes a lock that another one has taken meanwhile. Killed in between, that file stays, and is named to the next one.
 */
const clear = async (path: string, own: string): Promise<void> => {
  const clearing = `${path}.clearing`
  if (!(await createOnce(clearing, own))) {
    const other = await readOrNull(clearing)
    if (other === null || ownerLife(other.trim()) === 'alive') return
    throw new CommandError(
      'locked',
      `A migrator has ended while it took the place of a dead one: ${other.trim()}. If it is gone, remove ${clearing} and repeat the command.`,
    )
  }
  try {
    const holder = await readOrNull(path)
    if (holder !== null && ownerLife(holder.trim()) === 'dead') await rm(path, { force: true })
  } finally {
    await removeOwn(clearing, own)
  }
}

const takeLock = async (path: string): Promise<AsyncDisposable> => {
  const own = `${formatIdentity(currentProcess())}\n`
  while (!(await createOnce(path, own))) {
    const holder = await readOrNull(path)
    if (holder === null) continue
    const life = ownerLife(holder.trim())
    if (life === 'dead') await clear(path, own)
    else
      throw new CommandError(
        'locked',
        life === 'alive'
          ? `Another migrator is at work on this root: ${holder.trim()}. Wait for its end.`
          : `Another migrator may be at work on this root, on another machine: ${holder.trim()}. If it is not, remove ${path} and repeat the command.`,
      )
  }
  return {
    [Symbol.asyncDispose]: () => removeOwn(path, own),
  }
}

/** Nothing is made by looking. */
export const openMoveFolder = (root: string): MoveFolder => {
  const place = join(root, '.move')
  const file = (id: string): string => join(place, `${id}.json`)
  return {
    place,
    file,
    sheets: ({ id, stores }) => openSheets(place, id, stores),
    async list() {
      const names = await readdir(place).catch((error: unknown) => {
        if (errorCode(error) === 'ENOENT') return []
        throw error
      })
      return Promise.all(
        names
          .filter(isMigration)
          .sort()
          .map((name) => readMigration(join(place, name))),
      )
    },
    async save(migration) {
      await makeFolder(place)
      await replaceFile(file(migration.id), `${JSON.stringify(migration, null, 2)}\n`)
    },
    async lock() {
      await makeFolder(place)
      return takeLock(join(place, 'lock'))
    },
  }
}
