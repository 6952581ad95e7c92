import { access, constants } from 'node:fs/promises'
import { ConfigError } from '@nexus/core'
import { errorCode } from './runner/durable-file.ts'

/** Makes the root, or says in words why it cannot be one. */
export const makeRoot = async (root: string): Promise<void> => {
  try {
    const { makeFolders } = await import('@nexus/fs-backend')
    await makeFolders(root)
    await access(root, constants.W_OK)
  } catch (error) {
    const advice = 'A folder that this user may write to is needed: name one with NEXUS_DIR.'
    throw new ConfigError('NEXUS_DIR', `${root} cannot be used (${errorCode(error) ?? String(error)}). ${advice}`)
  }
}
