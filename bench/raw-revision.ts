import {
  closeSync,
  fsync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const sync = promisify(fsync)

const stage = async (path: string, text: string, isDurable: boolean): Promise<void> => {
  const fd = openSync(path, 'wx', 0o600)
  writeSync(fd, text)
  if (isDurable) {
    futimesSync(fd, new Date(), new Date())
    await sync(fd)
  }
  closeSync(fd)
}

/**
 * The system calls of a save that others may race, and nothing else: a numbered revision decides who is next, the bytes
 * are on the disk before their name, and what is replaced is looked at once more. No save of ours can be faster.
 */
export const openRawRevisions = (folder: string): ((key: string, text: string) => Promise<void>) => {
  const [temp, records] = [join(folder, 'temp'), join(folder, 'records')]
  for (const path of [temp, records]) mkdirSync(path, { recursive: true })
  const numbers = new Map<string, number>()
  return async (key, text) => {
    const log = join(folder, `log-${key}`)
    const number = (numbers.get(key) ?? 0) + 1
    if (number === 1) mkdirSync(log)
    numbers.set(key, number)
    const [path, token, revision] = [
      join(records, `${key}.json`),
      join(temp, `${key}-${number}`),
      join(log, `${number}`),
    ]
    readdirSync(log)
    if (number > 1) {
      readFileSync(join(log, `${number - 1}`))
      readFileSync(path)
    }
    await stage(token, text, true)
    await stage(`${token}.revision`, JSON.stringify({ token, path }), false)
    linkSync(`${token}.revision`, revision)
    unlinkSync(`${token}.revision`)
    readdirSync(log)
    const aside = join(log, `${number}.aside`)
    if (number > 1) linkSync(path, aside)
    renameSync(token, path)
    const fd = openSync(records, 'r')
    await sync(fd)
    closeSync(fd)
    if (number > 1) {
      lstatSync(aside)
      lstatSync(path)
      unlinkSync(aside)
    }
    if (number > 3) unlinkSync(join(log, `${number - 3}`))
  }
}
