import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { whenTold } from './told.mjs'

const [root, worker, limit] = process.argv.slice(2)
const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger, liveness: () => 'unknown' }
const backend = await openFsBackend({ root, ...context })

await whenTold(async (take) => {
  for (;;) {
    const tasks = await backend.inbox.claim({ worker, limit: Number(limit), leaseMs: 600_000 })
    if (tasks.length === 0) return
    take(tasks.map(({ id }) => id))
  }
})
await backend[Symbol.asyncDispose]()
