import { type Config, type InboxStore, type Logger, readConfig } from '@nexus/core'
import { storageMap, storageMapText } from '@nexus/router'
import { exitCodeAfter } from '../cli/exit.ts'
import { endSignal } from '../cli/signals.ts'
import { compose } from '../compose.ts'
import { readHostConfig } from '../config/read.ts'
import { openHost } from '../host.ts'
import { createLogger } from '../logging.ts'
import { createBell } from '../loop/bell.ts'
import { type DemoPlace, exampleTasks, makePlace } from './place.ts'
import { type DemoWords, offAndOn, tryNext, whereItLies } from './words.ts'

export interface DemoCommand {
  once?: boolean
  embeddedPostgres?: boolean
  agent?: string
  /** How many example tasks. */
  tasks?: number
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Loaded only when asked for: nobody else needs a database server. */
const startPostgres = async () => {
  const { startCluster } = await import('@nexus/testkit/postgres')
  say('Starting PostgreSQL …')
  return startCluster({ dataDir: '.demo/postgres', port: 54_329 })
}

type Database = Awaited<ReturnType<typeof startPostgres>>

const isAlive = (pid: number): boolean => {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** So that a person can see what an outage does: each SIGUSR2 stops the database, or starts it again. */
const switchOnSignal = (database: Database): void => {
  const turn = (): Promise<void> => (isAlive(database.pid) ? database.stop() : database.restart())
  let turned = Promise.resolve()
  process.on('SIGUSR2', () => {
    turned = turned.then(turn).catch((error: unknown) => say(String(error)))
  })
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
  tasks: number
  signal: AbortSignal
  logger: Logger
}

const play = async ({ config, place, dsn, once, tasks, signal, logger }: Stage): Promise<number> => {
  await using composition = await compose(config, readHostConfig(place.config), logger)
  const { stores } = composition
  say(`${storageMapText(await storageMap(config, stores))}\n`)
  const host = await openHost(composition.options)
  const words: DemoWords = { place, dsn, once }
  if (dsn !== null && !once) say(`${offAndOn(process.pid)}\n`)
  try {
    const examples = await stores.inbox.enqueue(exampleTasks(tasks))
    const running = host.run({ once, signal })
    if (!once) for (const { id } of examples) await taskEnds(stores.inbox, id, signal)
    if (!once && !signal.aborted) say(`\n${whereItLies(words)}\n\n${tryNext(words)}\n`)
    const end = await running
    if (once) say(`\n${whereItLies(words)}\n${tryNext(words)}`)
    return exitCodeAfter(end)
  } finally {
    await host.close()
  }
}

/** `nexus-host demo`. Resolves with the exit code. */
export const demo = async (command: DemoCommand): Promise<number> => {
  const { once = false, embeddedPostgres = false, agent, tasks = 1 } = command
  const signal = endSignal()
  await using cluster = embeddedPostgres ? await startPostgres() : null
  if (cluster) switchOnSignal(cluster)
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
  const { level, format } = config.log
  const logger = createLogger({ format: format ?? 'pretty', color, level, destination: process.stdout })
  // Awaited here: the server must outlive everything that uses it.
  return await play({ config, place, dsn, once, tasks, signal, logger })
}
