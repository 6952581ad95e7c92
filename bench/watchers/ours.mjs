import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { tell } from './tell.mjs'

const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger, liveness: () => 'unknown' }
const backend = await openFsBackend({ root: process.argv[2], ...context })
const told = tell()
// The first hint comes when everything is watched.
for await (const { project } of backend.inbox.watch(told.signal)) told.heard(project)
await backend[Symbol.asyncDispose]()
