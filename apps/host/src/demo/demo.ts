import { type Config, type InboxStore, type Logger, readConfig } from '@nexus/core'
import { storageMap, storageMapText } from '@nexus/router'
import { exitCodeAfter } from '../cli/exit.ts'
import { endSignal } from '../cli/signals.ts'
import { compose } from '../compose.ts'
import { readHostConfig } from '../config/read.ts'
import { openHost } from '../host.ts'
import { createLogger } from '../logging.ts'
import { createBell } from '../loop/bell.ts'
import { type DemoPlace, demoProject, exampleTask, makePlace } from './place.ts'
import { type DemoWords, tryNext, whereItLies } from './words.ts'

export interface DemoCommand {
  once?: boolean
  embeddedPostgres?: boolean
  agent?: string
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Loaded only when asked for: nobody else needs a database server. */
const startPostgres = async () => {
  const { startCluster } = await import('@nexus/testkit/postgres')
  say('Starting PostgreSQL …')
  return startCluster({ dataDir: '.demo/postgres', port: 54_329 })
}

/** Resolves when the task is over, however it ended, or the signal aborts. */
const taskEnds = async (inbox: InboxStore, id: string, signal: AbortSignal): Promise<void> => {
  const bell = createBell()
  while (!signal.aborted) {
    const task = await inbox.load(id).catch(() => null)
    if (task?.status === 'done' || task?.status === 'failed') return
    await bell.wait(200, signal)
  }
}

interface Stage {
  config: Config
  place: DemoPlace
  dsn: string | null
  once: boolean
  signal: AbortSignal
  logger: Logger
}

const play = async ({ config, place, dsn, once, signal, logger }: Stage): Promise<number> => {
  await using composition = await compose(config, readHostConfig(place.config), logger)
  const { stores } = composition
  say(`${storageMapText(await storageMap(config, stores))}\n`)
  const host = await openHost(composition.options)
  const words: DemoWords = { place, dsn, once }
  try {
    const [example] = await stores.inbox.enqueue([{ project: demoProject, ...exampleTask }])
    const running = host.run({ once, signal })
    if (!once) await taskEnds(stores.inbox, example?.id ?? '', signal)
    if (!once && !signal.aborted) say(`\n${whereItLies(words)}\n\n${tryNext(words)}\n`)
    const end = await running
    if (once) say(`\n${whereItLies(words)}\n${tryNext(words)}`)
    return exitCodeAfter(end)
  } finally {
    await host.close()
  }
}

/** `nexus-host demo`. Resolves with the exit code. */
export const demo = async ({ once = false, embeddedPostgres = false, agent }: DemoCommand): Promise<number> => {
  const signal = endSignal()
  await using cluster = embeddedPostgres ? await startPostgres() : null
  const dsn = cluster?.dsn ?? null
  const given = process.env['NEXUS_STORAGE_BACKEND']?.trim()
  const place = await makePlace({
    dir: process.env['NEXUS_DIR'],
    kept: dsn !== null,
    agent,
    env: process.env,
    now: new Date(),
  })
  const config = readConfig({
    ...process.env,
    NEXUS_DIR: place.root,
    ...(dsn !== null && { NEXUS_STORAGE_DSN: dsn, NEXUS_STORAGE_BACKEND: given || 'postgres' }),
  })
  const color = process.stdout.isTTY === true && !process.env['NO_COLOR']
  const logger = createLogger({ format: 'lines', color, level: 'info', destination: process.stdout })
  // Awaited here: the server must outlive everything that uses it.
  return await play({ config, place, dsn, once, signal, logger })
}
