import { type Backend, type CallOptions, storeNames } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, refused } from './samples.ts'

const claim = { id: '1', epoch: 1, worker: 'w' }
const task = { project: 'alpha', filename: 'login.md', markdown: 'Fix it' }

type Call = (backend: Backend, options: CallOptions) => Promise<unknown>

/** Every verb of every store. */
const calls: Readonly<Record<string, Call>> = {
  'workflows.save': ({ workflows }, options) => workflows.save(aWorkflow(), options),
  'workflows.load': ({ workflows }, options) => workflows.load('alpha-7-full', options),
  'workflows.list': ({ workflows }, options) => workflows.list({}, options),
  'workflows.delete': ({ workflows }, options) => workflows.delete('alpha-7-full', options),
  'workflows.counts': ({ workflows }, options) => workflows.counts(options),
  'completions.save': ({ completions }, options) => completions.save(aCompletion(), options),
  'completions.scan': ({ completions }, options) => completions.scan({}, options),
  'completions.history': ({ completions }, options) => completions.history('7', {}, options),
  'completions.assign': ({ completions }, options) => completions.assign('7:developer:complete', 'alpha', options),
  'completions.delete': ({ completions }, options) => completions.delete('7:developer:complete', options),
  'hostState.save': ({ hostState }, options) => hostState.save('k', 1, options),
  'hostState.load': ({ hostState }, options) => hostState.load('k', options),
  'hostState.patch': ({ hostState }, options) => hostState.patch('k', { entries: { a: 1 } }, options),
  'hostState.update': ({ hostState }, options) => hostState.update('k', () => 1, options),
  'hostState.delete': ({ hostState }, options) => hostState.delete('k', options),
  'hostState.keys': ({ hostState }, options) => hostState.keys({}, options),
  'taskFiles.save': ({ taskFiles }, options) => taskFiles.save(aTaskFile(), options),
  'taskFiles.load': ({ taskFiles }, options) => taskFiles.load('alpha', 'login.md', options),
  'taskFiles.list': ({ taskFiles }, options) => taskFiles.list({}, options),
  'taskFiles.close': ({ taskFiles }, options) => taskFiles.close('alpha', 'login.md', options),
  'taskFiles.reopen': ({ taskFiles }, options) => taskFiles.reopen('alpha', 'login.md', options),
  'taskFiles.delete': ({ taskFiles }, options) => taskFiles.delete('alpha', 'login.md', options),
  'inbox.enqueue': ({ inbox }, options) => inbox.enqueue([task], options),
  'inbox.claim': ({ inbox }, options) => inbox.claim({ worker: 'w', limit: 1, leaseMs: 1000 }, options),
  'inbox.bind': ({ inbox }, options) => inbox.bind(claim, { issueNumber: '7' }, options),
  'inbox.heartbeat': ({ inbox }, options) => inbox.heartbeat([claim], options),
  'inbox.complete': ({ inbox }, options) => inbox.complete(claim, options),
  'inbox.fail': ({ inbox }, options) => inbox.fail(claim, 'why', options),
  'inbox.release': ({ inbox }, options) => inbox.release(claim, options),
  'inbox.resume': ({ inbox }, options) => inbox.resume({ worker: 'w', leaseMs: 1000 }, options),
  'inbox.sweep': ({ inbox }, options) => inbox.sweep(options),
  'inbox.requeue': ({ inbox }, options) => inbox.requeue('1', options),
  'inbox.cancel': ({ inbox }, options) => inbox.cancel('1', options),
  'inbox.load': ({ inbox }, options) => inbox.load('1', options),
  'inbox.counts': ({ inbox }, options) => inbox.counts(options),
  'inbox.oldestDue': ({ inbox }, options) => inbox.oldestDue(options),
  'inbox.list': ({ inbox }, options) => inbox.list({}, options),
  'inbox.purge': ({ inbox }, options) => inbox.purge({ olderThan: new Date(0) }, options),
}

const everything = async ({ workflows, completions, hostState, taskFiles, inbox }: Backend): Promise<unknown[]> => [
  ...(await workflows.list()).items,
  ...(await completions.scan()).items,
  ...(await hostState.keys()).items,
  ...(await taskFiles.list()).items,
  ...(await inbox.list()).items,
]

export const lifecycle = (clause: Clause): void => {
  clause('C-ALL-12', 'every call on a closed backend throws closed, and does nothing', async (t) => {
    const { backend } = t
    await backend[Symbol.asyncDispose]()
    for (const call of Object.values(calls)) await refused(call(backend, {}), 'closed')
    expect(await everything(await t.peer())).toEqual([])
  })

  clause('C-ALL-12', 'every call whose signal is aborted stops with its reason, and does nothing', async (t) => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    for (const call of Object.values(calls)) await expect(call(t.backend, { signal })).rejects.toBe(reason)
    expect(await everything(t.backend)).toEqual([])
  })

  clause('C-ALL-12', 'a signal that is never aborted changes nothing', async (t) => {
    const { signal } = new AbortController()
    for (const call of Object.values(calls)) await call(t.backend, { signal })
  })

  clause('C-ALL-12', 'closing twice is closing once, and a peer goes on', async (t) => {
    const peer = await t.peer()
    await t.backend.hostState.save('k', 1)
    await Promise.all([t.backend[Symbol.asyncDispose](), t.backend[Symbol.asyncDispose]()])
    await t.backend[Symbol.asyncDispose]()
    expect(await peer.hostState.load('k')).toMatchObject({ value: 1 })
    expect(await (await t.reopen()).hostState.load('k')).toMatchObject({ value: 1 })
  })

  clause('C-ALL-2', 'health answers for every store, and never throws', async (t) => {
    for (const store of storeNames) expect(await t.backend.health(store)).toEqual({ status: 'ok' })
    const { backend } = t
    await backend[Symbol.asyncDispose]()
    for (const store of storeNames) expect(['ok', 'down']).toContain((await backend.health(store)).status)
  })

  clause('C-ALL-11', 'capabilities are declared, and the same in every opening', async (t) => {
    const { name, capabilities } = t.backend
    expect(name).toMatch(/^[a-z]+$/)
    expect(capabilities).toEqual({ manyHosts: expect.any(Boolean), mailbox: expect.any(Boolean) })
    const peer = await t.peer()
    expect({ name: peer.name, capabilities: peer.capabilities }).toEqual({ name, capabilities })
  })
}
