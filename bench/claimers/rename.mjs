import { closeSync, fsync, openSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { whenTold } from './told.mjs'

/** The plain claim: a task is whose rename finds it; what was taken is on the disk before it is told. */
const [root, , limit] = process.argv.slice(2)
const [pending, processing] = [join(root, 'pending'), join(root, 'processing')]
const folders = [processing, pending].map((path) => openSync(path, 'r'))
const sync = promisify(fsync)

const renamed = (name) => {
  try {
    renameSync(join(pending, name), join(processing, name))
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}

await whenTold(async (take) => {
  for (;;) {
    const names = readdirSync(pending)
    if (names.length === 0) return
    let batch = []
    for (const name of names) {
      if (renamed(name)) batch.push(name)
      if (batch.length < Number(limit)) continue
      for (const folder of folders) await sync(folder)
      take(batch)
      batch = []
    }
    for (const folder of folders) await sync(folder)
    take(batch)
  }
})
for (const folder of folders) closeSync(folder)
