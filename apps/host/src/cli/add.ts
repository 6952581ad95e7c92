import { text } from 'node:stream/consumers'
import { isStoreError, readConfig, repairText } from '@nexus/core'
import { composeStores } from '../compose.ts'
import { createLogger } from '../logging.ts'
import { exit, UsageError } from './exit.ts'

/** `nexus-host add`: puts a task from standard input into the inbox, wherever that is kept. */
export const add = async (project: string, filename: string): Promise<number> => {
  const config = readConfig(process.env)
  if (process.stdin.isTTY)
    throw new UsageError(`Give the task on standard input: echo 'Say hello.' | nexus-host add ${project}`)
  const markdown = repairText(await text(process.stdin))
  if (markdown.trim() === '') throw new UsageError('The task is empty: standard input had no text.')
  const logger = createLogger({ format: 'pretty', color: false, level: 'warn', destination: process.stderr })
  await using stores = await composeStores(config, logger)
  try {
    const [result] = await stores.inbox.enqueue([{ project, filename, markdown }])
    process.stdout.write(`${result?.status} ${result?.id}\n`)
    return exit.ok
  } catch (error) {
    if (isStoreError(error, 'invalid')) throw new UsageError(error.message)
    throw error
  }
}
