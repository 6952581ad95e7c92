import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { StoreError } from '@nexus/core'
import { isAbsent, storeErrorOf } from './fs-errors.ts'
import type { FsTools } from './tools.ts'

const readOrNull = async (path: string): Promise<string | null> => {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (isAbsent(error)) return null
    throw storeErrorOf(error, path)
  }
}

/** What names this root among all: made when it is first asked for, by one of those who ask. [C-MOVE-8] */
export const readIdentity = async ({ atomic, layout }: Pick<FsTools, 'atomic' | 'layout'>): Promise<string> => {
  const path = layout.identity
  if ((await readOrNull(path)) === null) await atomic.createOnce(path, `${randomUUID()}\n`)
  const identity = await readOrNull(path)
  if (identity) return identity
  throw new StoreError({
    code: 'corrupt',
    place: path,
    message: `${path} names this root among all, and is empty. Restore it; if no move is under way, remove it.`,
  })
}
