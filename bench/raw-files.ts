import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CompletionRecord } from '@nexus/core'

const sync = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  await handle.sync()
  await handle.close()
}

const writers = 8

/** What nobody can do with less: a file for each record, on the disk before its name, and each folder synced once. */
export const writeRaw = async (root: string, records: readonly CompletionRecord[]): Promise<void> => {
  const temps = join(root, '.tmp')
  await mkdir(temps, { recursive: true })
  const left = records.values()
  const folders = new Set<string>()
  const one = async (record: CompletionRecord): Promise<void> => {
    const temp = join(temps, record.dedupKey)
    const path = join(root, record.issueNumber, `${record.agentType}.json`)
    const handle = await open(temp, 'wx')
    await handle.writeFile(JSON.stringify(record))
    await handle.sync()
    await handle.close()
    if (!folders.has(dirname(path))) await mkdir(dirname(path), { recursive: true })
    folders.add(dirname(path))
    await rename(temp, path)
  }
  const writer = async (): Promise<void> => {
    for (const record of left) await one(record)
  }
  await Promise.all(Array.from({ length: writers }, writer))
  const unsynced = folders.values()
  const syncer = async (): Promise<void> => {
    for (const folder of unsynced) await sync(folder)
  }
  await Promise.all(Array.from({ length: writers }, syncer))
  await sync(root)
}

/** Reads and parses all of them; gives how many. */
export const readRaw = async (root: string): Promise<number> => {
  const folders = (await readdir(root)).filter((name) => !name.startsWith('.')).values()
  let count = 0
  const reader = async (): Promise<void> => {
    for (const folder of folders)
      for (const name of await readdir(join(root, folder))) {
        JSON.parse(await readFile(join(root, folder, name), 'utf8'))
        count += 1
      }
  }
  await Promise.all(Array.from({ length: writers }, reader))
  return count
}
