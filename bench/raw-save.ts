import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The plain durable save: a temp file on the disk before its name, and its folder synced. */
export const saveRaw = async (path: string, text: string): Promise<void> => {
  const temp = `${path}.tmp`
  const file = await open(temp, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temp, path)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
