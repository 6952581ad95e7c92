import { createHash } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Account, canReach } from './binaries.ts'
import { liveness, type ProcessIdentity, thisProcess } from './process-identity.ts'
import { stopLeftover } from './server.ts'

const prefix = 'nexus-pg-'
const ownerFile = 'owner.json'

const ownerOf = async (folder: string): Promise<ProcessIdentity | undefined> => {
  const text = await readFile(join(folder, ownerFile), 'utf8').catch(() => '')
  return text === '' ? undefined : (JSON.parse(text) as ProcessIdentity)
}

const writeOwner = async (folder: string): Promise<void> => {
  const incomplete = join(folder, `${ownerFile}.${process.pid}`)
  await writeFile(incomplete, JSON.stringify(await thisProcess()))
  await rename(incomplete, join(folder, ownerFile))
}

/** Removes what killed owners left. Folders that are not ours to remove stay. */
const sweep = async (parent: string): Promise<void> => {
  const names = (await readdir(parent)).filter((name) => name.startsWith(prefix))
  for (const folder of names.map((name) => join(parent, name))) {
    const owner = await ownerOf(folder).catch(() => undefined)
    if (!owner || (await liveness(owner)) !== 'dead') continue
    await stopLeftover(folder)
      .then(() => rm(folder, { recursive: true, force: true }))
      .catch(() => undefined)
  }
}

const privateFolder = async (): Promise<string> => {
  await sweep(tmpdir())
  const folder = await mkdtemp(join(tmpdir(), prefix))
  await writeOwner(folder)
  return folder
}

/** As root, a folder below a closed home is out of the server's reach: the data then lies below /var/tmp, which outlives a reboot. */
const lastingFolder = async (wanted: string, account: Account): Promise<string> => {
  await mkdir(wanted, { recursive: true })
  if (await canReach(wanted, account)) return wanted
  const folder = join('/var/tmp', `nexus-data-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const found = await lstat(folder)
  if (!found.isDirectory() || (found.uid !== 0 && found.uid !== account?.uid))
    throw new Error(`${folder} belongs to somebody else. Give a data folder that the account nobody can reach.`)
  return folder
}

const takeOver = async (folder: string): Promise<void> => {
  const owner = await ownerOf(folder)
  if (owner && (await liveness(owner)) !== 'dead') {
    const lock = join(folder, ownerFile)
    throw new Error(`The database in ${folder} is in use by process ${owner.pid} (if that is wrong, remove ${lock}).`)
  }
  await stopLeftover(folder)
  await writeOwner(folder)
}

/** The folder a cluster lives in, with this process as its owner. */
export const prepareFolder = async (wanted: string | undefined, account: Account): Promise<string> => {
  if (wanted === undefined) return privateFolder()
  const folder = await lastingFolder(resolve(wanted), account)
  await takeOver(folder)
  return folder
}

export const letGo = (folder: string, isPrivate: boolean): Promise<void> =>
  rm(isPrivate ? folder : join(folder, ownerFile), { recursive: true, force: true })
