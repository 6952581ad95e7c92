import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import lockfile from 'proper-lockfile'
import { whenTold } from './told.mjs'

/** What is usual where a library locks: one lock for each task. Nothing is synced. */
const [root] = process.argv.slice(2)
const [pending, processing] = [join(root, 'pending'), join(root, 'processing')]

const moved = async (name) => {
  try {
    await rename(join(pending, name), join(processing, name))
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

await whenTold(async (take) => {
  for (const name of await readdir(pending)) {
    const unlock = await lockfile.lock(join(root, 'locks', name), { realpath: false }).catch(() => null)
    if (unlock === null) continue
    if (await moved(name)) take([name])
    await unlock()
  }
})
