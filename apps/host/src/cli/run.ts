import { type Health, type LogFields, readConfig } from '@nexus/core'
import { storageMap } from '@nexus/router'
import { compose, type Pace } from '../compose.ts'
import { readHostConfig } from '../config/read.ts'
import { openHost } from '../host.ts'
import { createLogger } from '../logging.ts'
import { exitCodeAfter } from './exit.ts'
import { endSignal } from './signals.ts'

export interface RunCommand {
  config: string
  once?: boolean
}

const conditionOf = (health: Health): LogFields =>
  health.status === 'ok' ? { health: 'ok' } : { health: 'down', reason: health.reason }

const isTerminal = process.stdout.isTTY === true

/** `nexus-host run`: works on the tasks of the projects in `nexus.yaml`. Resolves with the exit code. */
export const run = async ({ config: file, once = false }: RunCommand, pace: Pace = {}): Promise<number> => {
  const config = readConfig(process.env)
  const hostConfig = readHostConfig(file)
  const logger = createLogger({
    format: isTerminal ? 'lines' : 'json',
    color: isTerminal && !process.env['NO_COLOR'],
    level: 'info',
    destination: process.stdout,
  })
  const signal = endSignal()
  await using composition = await compose(config, hostConfig, logger, pace)
  for (const { store, backend, decidedBy, health } of await storageMap(config, composition.stores))
    logger.info('store', { store, backend, decided_by: decidedBy, ...conditionOf(health) })
  const host = await openHost(composition.options)
  try {
    logger.info('host ready', { root: composition.options.root, api: host.api.url })
    const end = await host.run({ once, signal })
    logger.info('host ended', { end })
    return exitCodeAfter(end)
  } finally {
    await host.close()
  }
}
