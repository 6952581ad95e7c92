import { statfsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import {
  type BackendContext,
  type CorruptEntry,
  type Count,
  type JsonValue,
  type Moved,
  type StoreName,
  storeNames,
} from '@nexus/core'
import { readDocument } from '../documents.ts'
import { guarded, isAbsent } from '../fs-errors.ts'
import { strayTemps } from '../sweep.ts'
import { sys } from '../syscalls.ts'
import { createTools, type FsTools, openTools } from '../tools.ts'
import { type Denied, deniedBelow } from './access.ts'
import { deadLetters, type OverdueHold, overdueHolds } from './holds.ts'
import { keptStores, unreadableRecords } from './records.ts'

/** Room on a file system. */
export interface Space {
  freeBytes: number
  totalBytes: number
  /** Both 0 where the file system does not count its files. */
  freeFiles: number
  totalFiles: number
}

/** What lies below a root. Paths are absolute. */
export interface RootContents {
  /** Permission bits of the root itself. */
  mode: number
  /** Temp files of processes that are gone. */
  strays: string[]
  /** Copies of content that could be lost. */
  quarantined: string[]
  /** What this user may not read and write. */
  denied: Denied
  unreadable: { entries: CorruptEntry[]; looked: number; isAll: boolean }
  /** Tasks whose holders should have renewed their leases by now. */
  overdue: OverdueHold[]
  /** Tasks that failed for good; counting stops where it does for `counts`. */
  deadLetters: Count
  /** Which stores have records here. */
  kept: Record<StoreName, boolean>
  /** Stores that have moved away from here. */
  moved: Moved[]
  /** The values of the host state that were asked for, as far as they can be read. */
  states: ReadonlyMap<string, JsonValue>
}

export interface RootSurvey {
  path: string
  space: Space
  /** Null where there is no root yet; a text where it cannot be looked at: why, and what to do. */
  contents: RootContents | string | null
}

interface SurveyOptions extends BackendContext {
  root: string
  /** Records of each store that are read at most; all of them where it is null. */
  most: number | null
  /** Keys of the host state whose values are wanted. */
  states: readonly string[]
}

const folderAt = async (path: string): Promise<{ mode: number } | string | null> => {
  try {
    const found = await stat(path)
    return found.isDirectory() ? { mode: found.mode & 0o777 } : `${path} is no folder: move it away, or name another.`
  } catch (error) {
    if (isAbsent(error)) return null
    return `${path} cannot be looked at: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Of the file system that the path is on, or would be. */
const spaceAt = (path: string): Space => {
  try {
    const { bavail, blocks, bsize, ffree, files } = statfsSync(path)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: ffree, totalFiles: files }
  } catch (error) {
    if (dirname(path) === path) throw error
    return spaceAt(dirname(path))
  }
}

const statesOf = async ({ layout, reading }: FsTools, keys: readonly string[]): Promise<Map<string, JsonValue>> => {
  const states = new Map<string, JsonValue>()
  for (const key of keys) {
    const parsed = (await readDocument(reading, layout.hostStateFile(key)))?.parsed
    if (parsed?.ok) states.set(key, parsed.value)
  }
  return states
}

const contentsOf = async (tools: FsTools, mode: number, { most, states }: SurveyOptions): Promise<RootContents> => {
  const { layout, reading } = tools
  const quarantined = await reading.files(layout.quarantine)
  return {
    mode,
    strays: await strayTemps(tools),
    quarantined: quarantined.map((name) => join(layout.quarantine, name)),
    denied: await deniedBelow(tools),
    unreadable: await unreadableRecords(tools, most),
    overdue: await overdueHolds(tools),
    deadLetters: await deadLetters(tools),
    kept: await keptStores(tools),
    moved: storeNames.flatMap((store) => tools.marks.present(store) ?? []),
    states: await statesOf(tools, states),
  }
}

/** Looks at a root and changes nothing: what a backend does when it opens, or a list in passing, is not done. */
export const surveyRoot = async (options: SurveyOptions): Promise<RootSurvey> => {
  const path = resolve(options.root)
  const space = spaceAt(path)
  const folder = await folderAt(path)
  if (folder === null || typeof folder === 'string') return { path, space, contents: folder }
  const tools = createTools(await guarded(path, () => sys.realpath(path)), options, () => false)
  try {
    return { path, space, contents: await contentsOf(tools, folder.mode, options) }
  } catch (error) {
    return { path, space, contents: error instanceof Error ? error.message : String(error) }
  }
}

/** Removes the temp files of processes that are gone, after finishing what these had decided: what every opening does. */
export const sweepRoot = async ({ root, ...context }: BackendContext & { root: string }): Promise<void> => {
  await openTools(root, context, () => false)
}
