import { readdir, readFile, rename, rm } from 'node:fs/promises'
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

/** Takes the lock of one that is dead out of the way. Of several who see that, one moves it; a new lock is never moved. */
const clear = async (path: string, holder: string): Promise<void> => {
  const aside = `${path}.${process.pid}.aside`
  try {
    await rename(path, aside)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    throw error
  }
  const taken = await readOrNull(aside)
  // Somebody was faster and holds it by now: it gets back what is its own.
  if (taken !== null && taken !== holder) await createOnce(path, taken)
  await rm(aside, { force: true })
}

const takeLock = async (path: string): Promise<AsyncDisposable> => {
  const own = `${formatIdentity(currentProcess())}\n`
  while (!(await createOnce(path, own))) {
    const holder = await readOrNull(path)
    if (holder === null) continue
    const life = ownerLife(holder.trim())
    if (life === 'dead') await clear(path, holder)
    else
      throw new CommandError(
        'locked',
        life === 'alive'
          ? `Another migrator is at work on this root: ${holder.trim()}. Wait for its end.`
          : `Another migrator may be at work on this root, on another machine: ${holder.trim()}. If it is not, remove ${path} and repeat the command.`,
      )
  }
  return {
    async [Symbol.asyncDispose]() {
      if ((await readOrNull(path)) === own) await rm(path, { force: true })
    },
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
