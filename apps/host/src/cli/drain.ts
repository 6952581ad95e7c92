import { createIds, readConfig, systemClock } from '@nexus/core'
import { composeStores } from '../compose.ts'
import { createLogger } from '../logging.ts'
import { requestDrain } from '../loop/drain.ts'
import { exit } from './exit.ts'

/** `nexus-host drain`: the hosts at work on these stores finish what runs, give the rest back, and end. */
export const drain = async ({ json = false }: { json?: boolean }): Promise<number> => {
  const config = readConfig(process.env)
  const logger = createLogger({ format: 'pretty', color: false, level: 'warn', destination: process.stderr })
  await using stores = await composeStores(config, logger)
  const id = createIds(systemClock).next()
  await requestDrain(stores.hostState, id)
  const text = 'Hosts take nothing new now, and end when the agents that run have ended.'
  process.stdout.write(`${json ? JSON.stringify({ version: 1, drain: id }) : text}\n`)
  return exit.ok
}
