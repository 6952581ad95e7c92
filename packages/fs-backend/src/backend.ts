import {
  type Backend,
  type BackendContext,
  type Health,
  type Mailbox,
  movedHealth,
  type StoreName,
  type Stores,
} from '@nexus/core'
import { createCompletions } from './completions/completions.ts'
import { createDrops } from './completions/drops.ts'
import { createMailbox } from './completions/mailbox.ts'
import { createSeen } from './completions/seen.ts'
import { createHostState } from './host-state.ts'
import { createInbox } from './inbox/inbox.ts'
import { createRecords } from './records/records.ts'
import { createStoresAtHome } from './stores-at-home.ts'
import { createTaskFiles } from './task-files.ts'
import { type FsTools, openTools } from './tools.ts'
import { createWorkflows } from './workflows.ts'

export interface FsBackendOptions extends BackendContext {
  /** The `.nexus` folder; made where it is missing. */
  root: string
}

/** Asks the disk, not the memory: a folder that cannot be listed and synced cannot keep anything. */
const createHealth = ({ layout, atomic, marks, clock, isClosed }: FsTools) => {
  let downSince: number | null = null
  const down = (reason: string): Health => {
    downSince ??= clock.now()
    return { status: 'down', reason, since: downSince }
  }
  return async (store: StoreName): Promise<Health> => {
    if (isClosed()) return down('The backend is closed.')
    try {
      const moved = marks.present(store)
      if (moved) return movedHealth(moved)
      await atomic.makeFolder(layout.temp)
      await atomic.syncFolder(layout.temp)
      downSince = null
      return { status: 'ok' }
    } catch (error) {
      return down(error instanceof Error ? error.message : 'The folder cannot be used.')
    }
  }
}

/**
 * The five stores on one folder, in the documented layout. Several processes and hosts can share it: nothing is locked,
 * every race is decided by rename and link.
 */
export const openFsBackend = async ({ root, ...context }: FsBackendOptions): Promise<Backend> => {
  let isClosed = false
  const tools = await openTools(root, context, () => isClosed)
  const seen = createSeen(tools)
  const drops = createDrops(tools, seen)
  const { completions, mirror } = createCompletions(tools, { seen, drops })
  const stores: Stores = {
    workflows: createWorkflows(tools),
    completions,
    hostState: createHostState(tools),
    taskFiles: createTaskFiles(tools),
    inbox: createInbox(tools),
  }
  return {
    name: 'filesystem',
    capabilities: { manyHosts: true, mailbox: true },
    ...createStoresAtHome(stores, tools.marks, tools.isClosed),
    records: createRecords(tools, { stores, seen, drops, mirror }),
    health: createHealth(tools),
    async [Symbol.asyncDispose]() {
      isClosed = true
    },
  }
}

/** The mailbox alone, for a host whose completions may live elsewhere. Never closed: it holds nothing open. */
export const openMailbox = async ({ root, ...context }: FsBackendOptions): Promise<Mailbox> => {
  const tools = await openTools(root, context, () => false)
  const seen = createSeen(tools)
  return createMailbox(tools, { seen, drops: createDrops(tools, seen) })
}

/** Makes the folders that people drop task files into, so that one `echo` suffices. */
export const makeInboxFolders = async ({
  root,
  projects,
  ...context
}: FsBackendOptions & { projects: readonly string[] }): Promise<void> => {
  const { atomic, layout } = await openTools(root, context, () => false)
  for (const project of projects) await atomic.makeFolder(layout.inboxProject(project))
}
