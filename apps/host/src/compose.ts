import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Backend,
  type BackendContext,
  type Config,
  createIds,
  type InboxStore,
  type Logger,
  storeNames,
  systemClock,
} from '@nexus/core'
import {
  createJournalReader,
  fallbackStores,
  openRouter,
  type Registry,
  type RouterOptions,
  storageMap,
} from '@nexus/router'
import { openRootId } from './api/tokens.ts'
import type { HostConfig } from './config/host-config.ts'
import type { HostMailboxes, HostOptions } from './host.ts'
import { createWorkspaceMailbox } from './intake/workspace-mailbox.ts'
import type { Timing } from './loop/timing.ts'
import { makeRoot } from './root-folder.ts'
import {
  createRunner,
  currentProcess,
  formatIdentity,
  holderLiveness,
  type ProcessIdentity,
  type Runner,
  type RunnerOptions,
} from './runner/index.ts'
import { withTaskDrops } from './task-drops.ts'
import type { Storage } from './telemetry/storage.ts'

/** Every backend that routes can name, loaded when a route names it: a host on files loads no PostgreSQL client. */
const registry: Registry = {
  filesystem: async ({ dir }, context) =>
    (await import('@nexus/fs-backend')).openFsBackend({ root: resolve(dir), ...context }),
  postgres: async ({ dsn, listenDsn }, context) =>
    (await import('@nexus/pg-backend')).openPgBackend({ dsn: dsn ?? '', listenDsn, ...context }),
}

/** Where host state and completions go while their backend is down. */
const journal: NonNullable<RouterOptions['journal']> = async ({ dir }, context) =>
  (await import('@nexus/fs-backend')).openJournalFiles({ root: resolve(dir), ...context })

/**
 * This process as claims name it. With the root, since a host of another root that dies leaves agents which only a host of
 * its own root can adopt: for all others its claims end with their leases.
 */
const claimant = async (root: string): Promise<ProcessIdentity> => {
  const identity = currentProcess()
  return { ...identity, hostId: `${identity.hostId}~${await openRootId(root)}` }
}

const createContext = (logger: Logger, here: ProcessIdentity = currentProcess()): BackendContext => ({
  clock: systemClock,
  ids: createIds(systemClock),
  logger,
  liveness: (worker) => holderLiveness(worker, here),
})

/** The stores as the configuration routes them, for a command that needs no journal: it only brings a task. */
export const composeStores = (config: Config, logger: Logger): Promise<Backend> =>
  openRouter({ config, registry, context: createContext(logger) })

/** Whether the router has found its remote backend down. */
const outageOf = ({ routes }: Config, stores: Backend): (() => Promise<boolean>) => {
  const remote = storeNames.find((store) => routes[store].backend === 'postgres')
  return async () => remote !== undefined && (await stores.health(remote)).status === 'down'
}

/** How the stores are, and what an outage left of them in the journal. */
const openStorage = async (config: Config, stores: Backend, context: BackendContext): Promise<Storage> => {
  const fallsBack = fallbackStores.filter((store) => config.routes[store].backend === 'postgres')
  const read = fallsBack.length > 0 ? createJournalReader(await journal(config, context)) : async () => null
  return { fallsBack, journal: read, map: () => storageMap(config, stores) }
}

/** How often a workspace is looked at for a mailbox that an agent made there. */
const workspaceLookMs = 1_000

/** Mailboxes lie on disk in every routing: the root's, and those below the folders that agents work in. */
const openMailboxes = async (
  root: string,
  { projects }: HostConfig,
  context: BackendContext,
): Promise<HostMailboxes> => {
  const { openMailbox } = await import('@nexus/fs-backend')
  const folders = new Set([...projects.values()].map(({ workspace }) => join(workspace, '.nexus')))
  folders.delete(root)
  const below = (folder: string) =>
    createWorkspaceMailbox(folder, () => openMailbox({ root: folder, ...context }), workspaceLookMs)
  return { own: await openMailbox({ root, ...context }), others: [...folders].map(below), below }
}

/** Task files dropped below the root are tasks in every routing. */
const openDrops = async (root: string, inbox: InboxStore, context: BackendContext) => {
  const { openFsBackend } = await import('@nexus/fs-backend')
  const files = await openFsBackend({ root, ...context })
  const rootId = await openRootId(root)
  return { files, inbox: withTaskDrops({ inbox, drops: files.inbox, rootId, logger: context.logger }) }
}

/** Other intervals than the usual ones: whoever waits for leases to run out wants short ones. */
export interface Pace {
  timing?: Partial<Timing>
  runner?: Pick<RunnerOptions, 'leaseMs' | 'graceMs' | 'pollMs'>
}

export interface Composition extends AsyncDisposable {
  stores: Backend
  options: HostOptions
  runner: Runner
}

/** Everything a host is made of. The one place of this program that names backends. */
export const compose = async (
  config: Config,
  hostConfig: HostConfig,
  logger: Logger,
  pace: Pace = {},
): Promise<Composition> => {
  const root = resolve(config.dir)
  await makeRoot(root)
  const here = await claimant(root)
  const context = createContext(logger, here)
  const { clock, ids } = context
  const stores = await openRouter({ config, registry, context, journal })
  const drops = config.routes.inbox.backend === 'filesystem' ? null : await openDrops(root, stores.inbox, context)
  const supervisorPath = fileURLToPath(new URL('./supervisor.js', import.meta.url))
  const runner = createRunner({ root, supervisorPath, clock, logger, ...pace.runner })
  const mailboxes = await openMailboxes(root, hostConfig, context)
  const { makeInboxFolders } = await import('@nexus/fs-backend')
  await makeInboxFolders({ root, projects: [...hostConfig.projects.keys()], ...context })
  const worker = formatIdentity(here)
  return {
    stores,
    runner,
    options: {
      config: hostConfig,
      stores: drops ? { ...stores, inbox: drops.inbox } : stores,
      mailboxes,
      runner,
      root,
      worker,
      clock,
      ids,
      logger,
      env: process.env,
      inOutage: outageOf(config, stores),
      ...(pace.timing && { timing: pace.timing }),
      storage: await openStorage(config, stores, context),
      withProcessMetrics: true,
    },
    async [Symbol.asyncDispose]() {
      await runner.close()
      await drops?.files[Symbol.asyncDispose]()
      await stores[Symbol.asyncDispose]()
    },
  }
}
