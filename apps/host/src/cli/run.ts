import { type Config, type Health, type LogFields, readConfig } from '@nexus/core'
import { storageMap } from '@nexus/router'
import { compose, type Pace } from '../compose.ts'
import { readHostConfig } from '../config/read.ts'
import { type Host, openHost } from '../host.ts'
import { liveLines } from '../live/lines.ts'
import { createScreen, type Screen } from '../live/screen.ts'
import { createLogger } from '../logging.ts'
import { exitCodeAfter } from './exit.ts'
import { endSignal } from './signals.ts'

export interface RunCommand {
  config: string
  once?: boolean
  /** Whether a terminal shows a line for each task; it does unless told otherwise. */
  live?: boolean
}

const conditionOf = (health: Health): LogFields =>
  health.status === 'ok' ? { health: 'ok' } : { health: 'down', reason: health.reason }

const isTerminal = process.stdout.isTTY === true
const hasColor = isTerminal && !process.env['NO_COLOR']

/** More lines than this would leave no room for the log. */
const mostLines = 12

const showTasks = (screen: Screen, host: Host): (() => void) =>
  screen.show(({ columns, rows }) => {
    const most = Math.max(1, Math.min(mostLines, Math.floor(rows / 2)))
    return liveLines(host.held(), { now: Date.now(), columns, most, color: hasColor })
  })

/** How this process logs, and the screen it does it on where that is one that can be drawn on. */
const openLog = ({ log }: Config, live: boolean) => {
  const format = log.format ?? (isTerminal ? 'pretty' : 'json')
  const isDrawn = live && isTerminal && format === 'pretty' && process.env['TERM'] !== 'dumb'
  const screen = isDrawn ? createScreen(process.stdout) : null
  const destination = screen?.log ?? process.stdout
  return { screen, logger: createLogger({ format, color: hasColor, level: log.level, destination }) }
}

/** `nexus-host run`: works on the tasks of the projects in `nexus.yaml`. Resolves with the exit code. */
export const run = async (
  { config: file, once = false, live = true }: RunCommand,
  pace: Pace = {},
): Promise<number> => {
  const config = readConfig(process.env)
  const hostConfig = readHostConfig(file)
  const { screen, logger } = openLog(config, live)
  const signal = endSignal()
  await using composition = await compose(config, hostConfig, logger, pace)
  for (const { store, backend, decidedBy, health } of await storageMap(config, composition.stores))
    logger.info('store', { store, backend, decided_by: decidedBy, ...conditionOf(health) })
  const host = await openHost(composition.options)
  const unshow = screen && showTasks(screen, host)
  try {
    logger.info('host ready', { root: composition.options.root, api: host.api.url })
    const end = await host.run({ once, signal })
    logger.info('host ended', { end })
    return exitCodeAfter(end)
  } finally {
    unshow?.()
    await host.close()
  }
}
