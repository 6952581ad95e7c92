import type { Backend, BackendContext, BackendName, Config } from '@nexus/core'

/** Opens one backend from the configuration. Throws `unavailable` where its technology cannot be reached now. */
export type OpenBackend = (config: Config, context: BackendContext) => Promise<Backend>

/** Every backend that routes can name; a new one is one folder and one line here. Openers load their backend lazily. */
export type Registry = Readonly<Record<BackendName, OpenBackend>>
