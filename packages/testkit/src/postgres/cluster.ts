import { randomBytes } from 'node:crypto'
import { chmod, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Account,
  type Binaries,
  binariesFor,
  copyAsStandby,
  exists,
  giveAway,
  initialise,
  type Source,
  unprivilegedAccount,
} from './binaries.ts'
import { letGo, prepareFolder } from './folder.ts'
import { type Server, type ServerPlace, startOnFreePort, startServer, stopLeftover } from './server.ts'

export { type FreshDatabase, freshDatabase } from './database.ts'

export interface ClusterOptions {
  /** Keeps the data here between runs. Without it: a private temporary folder, removed on dispose. */
  dataDir?: string
  /** Used while it is free, else another one. */
  port?: number
  /** Only for a new data folder, which remembers it; random unless given. */
  password?: string
  /** A standby of that server, which has to be stopped while its data is copied. */
  standbyOf?: Source
  /** Leaves the private folder in place on dispose. */
  keep?: boolean
}

/** A PostgreSQL server of our own on the loopback address. It stops when the process that started it ends, however it ends. */
export interface Cluster extends AsyncDisposable {
  /** As superuser, to the database `postgres`. */
  readonly dsn: string
  readonly port: number
  /** The postmaster. */
  readonly pid: number
  /** Where the data really lies. */
  readonly folder: string
  start(): Promise<void>
  stop(): Promise<void>
  restart(): Promise<void>
  /** SIGKILL to the postmaster: what a crash of the server looks like. */
  kill(): Promise<void>
}

interface Opening extends Pick<ClusterOptions, 'password' | 'standbyOf'> {
  isPrivate: boolean
}

interface Opened {
  binaries: Binaries
  password: string
}

interface Running extends Pick<Cluster, 'dsn' | 'port' | 'folder'> {
  server: Server
  restart(): Promise<Server>
  letGo(): Promise<void>
}

const createCluster = ({ dsn, port, folder, server: first, restart, letGo }: Running): Cluster => {
  let server: Server | undefined = first
  const stop = async (): Promise<void> => {
    await server?.stop()
    server = undefined
  }
  const start = async (): Promise<void> => {
    server ??= await restart()
  }
  return {
    dsn,
    port,
    folder,
    get pid() {
      return server?.pid ?? 0
    },
    start,
    stop,
    async restart() {
      await stop()
      await start()
    },
    async kill() {
      await server?.kill()
      server = undefined
    },
    async [Symbol.asyncDispose]() {
      await stop()
      await letGo()
    },
  }
}

const openDatabase = async (folder: string, account: Account, opening: Opening): Promise<Opened> => {
  await chmod(folder, 0o700)
  const binaries = await binariesFor(folder, account)
  if (!(await exists(join(folder, 'data')))) {
    const { isPrivate, password, standbyOf } = opening
    if (standbyOf) await copyAsStandby(standbyOf, folder)
    else
      await initialise(binaries, folder, {
        password: password ?? randomBytes(12).toString('hex'),
        durable: !isPrivate,
      })
  }
  await giveAway(folder, account)
  return { binaries, password: await readFile(join(folder, 'password'), 'utf8') }
}

export const startCluster = async (options: ClusterOptions = {}): Promise<Cluster> => {
  const account = await unprivilegedAccount()
  const folder = await prepareFolder(options.dataDir, account)
  const isPrivate = options.dataDir === undefined && options.keep !== true
  try {
    const { binaries, password } = await openDatabase(folder, account, { ...options, isPrivate })
    const place = (port: number): ServerPlace => ({ folder, port, isPrivate })
    const { started: server, port } = await startOnFreePort((free) => startServer(binaries, place(free)), options.port)
    const dsn = `postgresql://nexus:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
    const restart = async (): Promise<Server> => {
      await stopLeftover(folder)
      return startServer(binaries, place(port))
    }
    return createCluster({ dsn, port, folder, server, restart, letGo: () => letGo(folder, isPrivate) })
  } catch (error) {
    await letGo(folder, isPrivate)
    throw error
  }
}
