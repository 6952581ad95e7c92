import type { CallOptions, InboxStore } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { enqueueAndClaim, leaseMs, task } from './tasks.ts'

const claim = { id: '1', epoch: 1, worker: 'worker-1' }

const calls: Record<string, (inbox: InboxStore, options?: CallOptions) => Promise<unknown>> = {
  enqueue: (inbox, options) => inbox.enqueue([task()], options),
  claim: (inbox, options) => inbox.claim({ worker: 'worker-1', limit: 1, leaseMs }, options),
  bind: (inbox, options) => inbox.bind(claim, { issueNumber: '1' }, options),
  heartbeat: (inbox, options) => inbox.heartbeat([claim], options),
  complete: (inbox, options) => inbox.complete(claim, options),
  fail: (inbox, options) => inbox.fail(claim, 'no', options),
  release: (inbox, options) => inbox.release(claim, options),
  resume: (inbox, options) => inbox.resume({ worker: 'worker-1', leaseMs }, options),
  sweep: (inbox, options) => inbox.sweep(options),
  requeue: (inbox, options) => inbox.requeue('1', options),
  cancel: (inbox, options) => inbox.cancel('1', options),
  load: (inbox, options) => inbox.load('1', options),
  counts: (inbox, options) => inbox.counts(options),
  list: (inbox, options) => inbox.list({}, options),
  purge: (inbox, options) => inbox.purge({ olderThan: new Date(0) }, options),
}

export const inboxLifecycle = (clause: Clause): void => {
  clause('C-ALL-12', 'every call on a closed inbox throws closed, and the open ones go on', async (t) => {
    const peer = await t.peer()
    await peer[Symbol.asyncDispose]()
    for (const [name, call] of Object.entries(calls))
      await expect(call(peer.inbox), name).rejects.toMatchObject({ name: 'StoreError', code: 'closed' })

    await enqueueAndClaim(t.backend)
  })

  clause('C-ALL-12', 'a call whose signal is aborted rejects and does nothing', async (t) => {
    const options = { signal: AbortSignal.abort(new Error('changed my mind')) }
    for (const [name, call] of Object.entries(calls))
      await expect(call(t.backend.inbox, options), name).rejects.toThrow()

    expect(await t.backend.inbox.counts()).toEqual({ pending: 0, processing: 0, done: 0, failed: 0 })
  })
}
