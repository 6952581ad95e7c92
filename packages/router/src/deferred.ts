import type { Backend, Stores } from '@nexus/core'

/** Stores that reach for their backend at every call: each verb answers `unavailable` while it cannot be reached. */
export const deferredStores = (reach: () => Promise<Backend>): Stores => ({
  workflows: {
    save: async (...call) => (await reach()).workflows.save(...call),
    load: async (...call) => (await reach()).workflows.load(...call),
    list: async (...call) => (await reach()).workflows.list(...call),
    delete: async (...call) => (await reach()).workflows.delete(...call),
    counts: async (...call) => (await reach()).workflows.counts(...call),
  },
  completions: {
    save: async (...call) => (await reach()).completions.save(...call),
    scan: async (...call) => (await reach()).completions.scan(...call),
    history: async (...call) => (await reach()).completions.history(...call),
    assign: async (...call) => (await reach()).completions.assign(...call),
    delete: async (...call) => (await reach()).completions.delete(...call),
  },
  hostState: {
    load: async (...call) => (await reach()).hostState.load(...call),
    save: async (...call) => (await reach()).hostState.save(...call),
    patch: async (...call) => (await reach()).hostState.patch(...call),
    update: async (...call) => (await reach()).hostState.update(...call),
    delete: async (...call) => (await reach()).hostState.delete(...call),
    keys: async (...call) => (await reach()).hostState.keys(...call),
  },
  taskFiles: {
    save: async (...call) => (await reach()).taskFiles.save(...call),
    load: async (...call) => (await reach()).taskFiles.load(...call),
    list: async (...call) => (await reach()).taskFiles.list(...call),
    close: async (...call) => (await reach()).taskFiles.close(...call),
    reopen: async (...call) => (await reach()).taskFiles.reopen(...call),
    delete: async (...call) => (await reach()).taskFiles.delete(...call),
  },
  inbox: {
    enqueue: async (...call) => (await reach()).inbox.enqueue(...call),
    claim: async (...call) => (await reach()).inbox.claim(...call),
    bind: async (...call) => (await reach()).inbox.bind(...call),
    heartbeat: async (...call) => (await reach()).inbox.heartbeat(...call),
    complete: async (...call) => (await reach()).inbox.complete(...call),
    fail: async (...call) => (await reach()).inbox.fail(...call),
    release: async (...call) => (await reach()).inbox.release(...call),
    resume: async (...call) => (await reach()).inbox.resume(...call),
    sweep: async (...call) => (await reach()).inbox.sweep(...call),
    requeue: async (...call) => (await reach()).inbox.requeue(...call),
    cancel: async (...call) => (await reach()).inbox.cancel(...call),
    load: async (...call) => (await reach()).inbox.load(...call),
    counts: async (...call) => (await reach()).inbox.counts(...call),
    list: async (...call) => (await reach()).inbox.list(...call),
    purge: async (...call) => (await reach()).inbox.purge(...call),
    async *watch(signal) {
      yield* (await reach()).inbox.watch(signal)
    },
  },
})
