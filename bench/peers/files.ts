import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFile as writeAtomically } from 'atomically'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs-lite'
import writeFileAtomic from 'write-file-atomic'

type Save = (key: string, text: string) => Promise<void>

/** Libraries that save a file for one key, each in a folder of its own. Their defaults; none of them syncs the folder. */
export const openPeers = async (
  folder: string,
): Promise<Record<'writeFileAtomic' | 'atomically' | 'unstorage', Save>> => {
  const pathOf = (name: string, key: string): string => join(folder, name, `${key}.json`)
  for (const name of ['write-file-atomic', 'atomically', 'unstorage'])
    await mkdir(dirname(pathOf(name, '')), { recursive: true })
  const storage = createStorage<string>({ driver: fsDriver({ base: join(folder, 'unstorage') }) })
  return {
    writeFileAtomic: (key, text) => writeFileAtomic(pathOf('write-file-atomic', key), text),
    atomically: (key, text) => writeAtomically(pathOf('atomically', key), text),
    unstorage: (key, text) => storage.setItem(`${key}.json`, text),
  }
}
