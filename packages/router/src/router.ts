import type { Backend, BackendContext, BackendName, Config, Stores } from '@nexus/core'
import { storeNames } from '@nexus/core'
import type { Connection } from './connection.ts'
import { openConnection } from './connection.ts'
import { deferredStores } from './deferred.ts'
import type { Registry } from './registry.ts'

export interface RouterOptions {
  config: Config
  registry: Registry
  context: BackendContext
}

/**
 * The backend made of backends: each store lives where its route says. A backend that cannot be reached at start is
 * reached for at every call of its stores; the others are not touched by it. [C-ROUTE-7]
 */
export const openRouter = async ({ config, registry, context }: RouterOptions): Promise<Backend> => {
  const used = [...new Set(storeNames.map((store) => config.routes[store].backend))]
  const connections = new Map<BackendName, Connection>()
  const close = async (): Promise<void> => {
    await Promise.all([...connections.values()].map((connection) => connection[Symbol.asyncDispose]()))
  }
  try {
    for (const name of used)
      connections.set(name, await openConnection(name, () => registry[name](config, context), context))
  } catch (error) {
    await close()
    throw error
  }
  const stores = new Map<BackendName, Stores>(
    [...connections].map(([name, connection]) => [name, connection.current() ?? deferredStores(connection.reach)]),
  )
  const at = (name: BackendName): Connection & { stores: Stores } => {
    const connection = connections.get(name)
    const own = stores.get(name)
    if (!connection || !own) throw new Error(`no backend ${name} was opened`)
    return { ...connection, stores: own }
  }
  const routed = <S extends keyof Stores>(store: S): Stores[S] => at(config.routes[store].backend).stores[store]

  return {
    name: 'routed',
    capabilities: {
      manyHosts: [...connections.values()].every((connection) => connection.current()?.capabilities.manyHosts ?? true),
      mailbox: at(config.routes.completions.backend).current()?.capabilities.mailbox ?? false,
    },
    workflows: routed('workflows'),
    completions: routed('completions'),
    hostState: routed('hostState'),
    taskFiles: routed('taskFiles'),
    inbox: routed('inbox'),
    async health(store, options) {
      const connection = at(config.routes[store].backend)
      const backend = await connection.reach().catch(() => null)
      return backend ? backend.health(store, options) : connection.condition()
    },
    [Symbol.asyncDispose]: close,
  }
}
