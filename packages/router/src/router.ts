import type { Backend, BackendContext, BackendName, Config, JournalFiles, StoreName, Stores } from '@nexus/core'
import { storeNames } from '@nexus/core'
import type { Connection } from './connection.ts'
import { openConnection } from './connection.ts'
import { createFallback, fallbackStores } from './fallback.ts'
import { routedRecords } from './records.ts'
import type { Registry } from './registry.ts'

export interface RouterOptions {
  config: Config
  registry: Registry
  context: BackendContext
  /** Where host state and completions go while their backend is down. Without it they answer `unavailable` then. */
  journal?: (config: Config, context: BackendContext) => Promise<JournalFiles>
  /** Between two looks at a backend that is down, in milliseconds; 1000 unless given. */
  probeMs?: number
}

/** The one backend that lives elsewhere and can go away. */
const remote: BackendName = 'postgres'

/** One backend as the router uses it. */
interface Side extends AsyncDisposable, Pick<Backend, 'health'> {
  connection: Connection
  stores: Stores
}

const openSide = async (name: BackendName, options: RouterOptions): Promise<Side> => {
  const { config, registry, context, journal, probeMs = 1000 } = options
  const connection = await openConnection(name, () => registry[name](config, context))
  const backend = connection.current()
  if (name !== remote && backend)
    return {
      connection,
      stores: backend,
      health: backend.health,
      [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
    }
  const stores = storeNames.filter((store) => config.routes[store].backend === name)
  const fallsBack = stores.some((store) => fallbackStores.includes(store))
  const files = journal && fallsBack ? await journal(config, context) : null
  const fallback = createFallback({ name, connection, stores, files, context, probeMs })
  return { connection, ...fallback }
}

/**
 * The backend made of backends: each store lives where its route says. A backend that goes away is waited for; the others
 * are not touched by it. [C-ROUTE-7]
 */
export const openRouter = async (options: RouterOptions): Promise<Backend> => {
  const { routes } = options.config
  const sides = new Map<BackendName, Side>()
  const close = async (): Promise<void> => {
    await Promise.all([...sides.values()].map((side) => side[Symbol.asyncDispose]()))
  }
  try {
    for (const name of new Set(storeNames.map((store) => routes[store].backend)))
      sides.set(name, await openSide(name, options))
  } catch (error) {
    await close()
    throw error
  }
  const at = (store: StoreName): Side => {
    const side = sides.get(routes[store].backend)
    if (!side) throw new Error(`no backend ${routes[store].backend} was opened`)
    return side
  }
  const capabilitiesOf = (store: StoreName) => at(store).connection.current()?.capabilities

  return {
    name: 'routed',
    capabilities: {
      manyHosts: storeNames.every((store) => capabilitiesOf(store)?.manyHosts ?? true),
      mailbox: capabilitiesOf('completions')?.mailbox ?? false,
    },
    get operations() {
      return sides.get(remote)?.connection.current()?.operations
    },
    records: routedRecords((store) => at(store).connection),
    workflows: at('workflows').stores.workflows,
    completions: at('completions').stores.completions,
    hostState: at('hostState').stores.hostState,
    taskFiles: at('taskFiles').stores.taskFiles,
    inbox: at('inbox').stores.inbox,
    health: (store, callOptions) => at(store).health(store, callOptions),
    [Symbol.asyncDispose]: close,
  }
}
