import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueAndClaim, hour, tasks } from './tasks.ts'

const issue = { issueNumber: '42' }
const bound = { status: 'bound', issueNumber: '42' }

export const inboxBind = (clause: Clause): void => {
  clause('C-INBOX-13', 'the issue number is stored, and binding again says the same', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)

    await t.reopen()
    expect((await t.backend.inbox.load(id))?.issueNumber).toBe('42')
    expect(await t.backend.inbox.bind(claim, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'one task of an issue runs; the next binds when that one ended', async (t) => {
    const peer = await t.peer()
    await t.backend.inbox.enqueue(tasks(4))
    const [a, b, c, d] = (await claimUpTo(t.backend, 4)).map(({ claim }) => claim)
    if (!a || !b || !c || !d) throw new Error('Expected four claims.')
    const { inbox } = t.backend
    expect(await inbox.bind(a, issue)).toEqual(bound)
    expect(await peer.inbox.bind(b, issue)).toEqual({ status: 'busy' })
    expect(await inbox.complete(a)).toEqual({ status: 'done' })
    expect(await peer.inbox.bind(b, issue)).toEqual(bound)
    expect(await inbox.bind(c, issue)).toEqual({ status: 'busy' })
    await inbox.release(b, { retryAt: new Date(t.clock.now() + hour) })
    expect(await inbox.bind(c, issue)).toEqual(bound)
    await inbox.fail(c, 'no')
    expect(await inbox.bind(d, issue)).toEqual(bound)
  })

  clause('C-INBOX-13', 'who is told busy still holds its task and may give it back', async (t) => {
    const first = await enqueueAndClaim(t.backend, { filename: 'a.md' })
    const second = await enqueueAndClaim(t.backend, { filename: 'b.md' })
    await t.backend.inbox.bind(first.claim, issue)
    await t.backend.inbox.bind(second.claim, issue)

    expect(await t.backend.inbox.load(second.id)).toMatchObject({ status: 'processing', claimedBy: 'worker-1' })
    expect(await t.backend.inbox.release(second.claim)).toEqual({ status: 'released' })
  })

  clause('C-INBOX-13', 'the same number in another project, or another number, is another issue', async (t) => {
    const first = await enqueueAndClaim(t.backend, { project: 'apollo' })
    const second = await enqueueAndClaim(t.backend, { project: 'gemini' })
    const third = await enqueueAndClaim(t.backend, { filename: 'other.md' })

    expect(await t.backend.inbox.bind(first.claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(second.claim, issue)).toEqual(bound)
    expect(await t.backend.inbox.bind(third.claim, { issueNumber: '4' })).toMatchObject({ status: 'bound' })
  })

  clause('C-INBOX-13', 'a later claim finds the number that was bound', async (t) => {
    const { claim } = await enqueueAndClaim(t.backend)
    await t.backend.inbox.bind(claim, issue)
    await t.backend.inbox.release(claim)
    const released = await claimOne(t.backend)
    expect(released.issueNumber).toBe('42')

    await t.backend.inbox.fail(released.claim, 'again')
    await t.advance(hour)
    expect((await claimOne(t.backend)).issueNumber).toBe('42')
  })

  clause('C-INBOX-13', 'a number that no issue can have is invalid and binds nothing', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    for (const issueNumber of ['', '../1', 'a:b', 'x'.repeat(33), '1\0', '1\n'])
      await expect(t.backend.inbox.bind(claim, { issueNumber }), JSON.stringify(issueNumber)).rejects.toMatchObject({
        code: 'invalid',
      })

    expect((await t.backend.inbox.load(id))?.issueNumber).toBeNull()
  })
}
