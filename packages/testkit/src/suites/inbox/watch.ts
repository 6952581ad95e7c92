import { setImmediate } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { enqueueOne } from './tasks.ts'

export const inboxWatch = (clause: Clause): void => {
  clause('C-INBOX-19', 'a hint comes after another store enqueued', async (t) => {
    const peer = await t.peer()
    const hints = t.backend.inbox.watch(AbortSignal.timeout(20_000))[Symbol.asyncIterator]()
    let seen = false
    const first = hints.next().finally(() => {
      seen = true
    })
    // A hint may be missed until the watch stands, so there is new work until it does.
    for (let n = 0; n < 300 && !seen; n += 1) {
      await enqueueOne(peer, { filename: `${n}.md` })
      await setImmediate()
    }
    const { done, value } = await first
    expect(done).toBe(false)
    expect([null, 'apollo']).toContain(value?.project)
    await hints.return?.()
  })

  clause('C-INBOX-19', 'a watch ends with its signal, also while it waits', async (t) => {
    const stop = new AbortController()
    const hints = t.backend.inbox.watch(stop.signal)
    const ended = (async () => {
      for await (const _ of hints);
      return 'ended'
    })()
    await enqueueOne(t.backend)
    stop.abort()
    expect(await ended).toBe('ended')
  })

  clause('C-INBOX-19', 'a watch whose signal is aborted already gives nothing', async (t) => {
    await enqueueOne(t.backend)
    const hints = t.backend.inbox.watch(AbortSignal.abort())[Symbol.asyncIterator]()
    expect((await hints.next()).done).toBe(true)
  })
}
