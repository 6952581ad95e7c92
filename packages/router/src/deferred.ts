import type { Stores } from '@nexus/core'
import type { Outage } from './outage.ts'

/** Stores that reach for their backend at every call: each verb answers `unavailable` while it is down. [C-ROUTE-7] */
export const deferredStores = ({ only }: Pick<Outage, 'only'>): Stores => ({
  workflows: {
    save: (...call) => only('workflows', ({ workflows }) => workflows.save(...call)),
    load: (...call) => only('workflows', ({ workflows }) => workflows.load(...call)),
    list: (...call) => only('workflows', ({ workflows }) => workflows.list(...call)),
    delete: (...call) => only('workflows', ({ workflows }) => workflows.delete(...call)),
    counts: (...call) => only('workflows', ({ workflows }) => workflows.counts(...call)),
  },
  completions: {
    save: (...call) => only('completions', ({ completions }) => completions.save(...call)),
    scan: (...call) => only('completions', ({ completions }) => completions.scan(...call)),
    history: (...call) => only('completions', ({ completions }) => completions.history(...call)),
    assign: (...call) => only('completions', ({ completions }) => completions.assign(...call)),
    delete: (...call) => only('completions', ({ completions }) => completions.delete(...call)),
  },
  hostState: {
    load: (...call) => only('hostState', ({ hostState }) => hostState.load(...call)),
    save: (...call) => only('hostState', ({ hostState }) => hostState.save(...call)),
    patch: (...call) => only('hostState', ({ hostState }) => hostState.patch(...call)),
    update: (...call) => only('hostState', ({ hostState }) => hostState.update(...call)),
    delete: (...call) => only('hostState', ({ hostState }) => hostState.delete(...call)),
    keys: (...call) => only('hostState', ({ hostState }) => hostState.keys(...call)),
  },
  taskFiles: {
    save: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.save(...call)),
    load: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.load(...call)),
    list: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.list(...call)),
    close: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.close(...call)),
    reopen: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.reopen(...call)),
    delete: (...call) => only('taskFiles', ({ taskFiles }) => taskFiles.delete(...call)),
  },
  inbox: {
    enqueue: (...call) => only('inbox', ({ inbox }) => inbox.enqueue(...call)),
    claim: (...call) => only('inbox', ({ inbox }) => inbox.claim(...call)),
    bind: (...call) => only('inbox', ({ inbox }) => inbox.bind(...call)),
    heartbeat: (...call) => only('inbox', ({ inbox }) => inbox.heartbeat(...call)),
    complete: (...call) => only('inbox', ({ inbox }) => inbox.complete(...call)),
    fail: (...call) => only('inbox', ({ inbox }) => inbox.fail(...call)),
    release: (...call) => only('inbox', ({ inbox }) => inbox.release(...call)),
    resume: (...call) => only('inbox', ({ inbox }) => inbox.resume(...call)),
    sweep: (...call) => only('inbox', ({ inbox }) => inbox.sweep(...call)),
    requeue: (...call) => only('inbox', ({ inbox }) => inbox.requeue(...call)),
    cancel: (...call) => only('inbox', ({ inbox }) => inbox.cancel(...call)),
    load: (...call) => only('inbox', ({ inbox }) => inbox.load(...call)),
    counts: (...call) => only('inbox', ({ inbox }) => inbox.counts(...call)),
    oldestDue: (...call) => only('inbox', ({ inbox }) => inbox.oldestDue(...call)),
    list: (...call) => only('inbox', ({ inbox }) => inbox.list(...call)),
    purge: (...call) => only('inbox', ({ inbox }) => inbox.purge(...call)),
    async *watch(signal) {
      yield* await only('inbox', async ({ inbox }) => inbox.watch(signal))
    },
  },
})
