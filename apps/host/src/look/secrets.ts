import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hostFolder } from '../api/tokens.ts'
import { errorCode } from '../runner/durable-file.ts'
import { listRuns } from '../runner/find-runs.ts'
import { runFolder } from '../runner/run-folder.ts'

/** Permission bits of everybody but the owner. */
const others = 0o077

const modeOf = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).mode & 0o777
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'EACCES') return null
    throw error
  }
}

/** What only the owner of a root may read: the secret that signs tokens, a token, and environments of agents about to start. */
const secretPaths = async (root: string): Promise<string[]> => {
  const folder = hostFolder(root)
  const runs = await listRuns(root)
  const environments = runs.map((attempt) => runFolder(root, attempt).environment)
  return [folder, join(folder, 'secret'), join(folder, 'token'), ...environments]
}

/** Those of the root's secrets that others may read or change. */
export const findOpenSecrets = async (root: string): Promise<{ path: string; mode: number }[]> => {
  const open: { path: string; mode: number }[] = []
  for (const path of await secretPaths(root)) {
    const mode = await modeOf(path)
    if (mode !== null && (mode & others) !== 0) open.push({ path, mode })
  }
  return open
}

/** Takes from others what they may do with them; their owner keeps what it may. */
export const closeSecrets = async (secrets: readonly { path: string; mode: number }[]): Promise<void> => {
  for (const { path, mode } of secrets) await chmod(path, mode & ~others)
}
