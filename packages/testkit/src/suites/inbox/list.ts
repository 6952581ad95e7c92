import type { InboxFilter } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimOne, enqueueAndClaim, enqueueOne, hour, tasks } from './tasks.ts'

const allPages = async (t: Harness, filter: InboxFilter, between: () => Promise<unknown> = async () => {}) => {
  const ids: string[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await t.backend.inbox.list(cursor === undefined ? filter : { ...filter, cursor })
    expect(page.items.length).toBeLessThanOrEqual(filter.limit ?? 100)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.cursor
    await between()
  }
  return ids
}

export const inboxList = (clause: Clause): void => {
  clause('C-ALL-8', 'the inbox lists the newest first', async (t) => {
    const ids: string[] = []
    for (const filename of ['b.md', 'c.md', 'a.md']) {
      ids.push(await enqueueOne(t.backend, { filename, priority: ids.length, runAt: new Date(t.clock.now() + hour) }))
      await t.advance(1000)
    }
    const page = await t.backend.inbox.list()
    expect(page.items.map(({ id }) => id)).toEqual(ids.toReversed())
    expect(page).toMatchObject({ corrupt: [], cursor: null })
  })

  clause('C-ALL-8', 'the inbox is listed by status and by project', async (t) => {
    const done = await enqueueAndClaim(t.backend, { project: 'gemini' })
    await t.backend.inbox.complete(done.claim)
    const pending = await enqueueOne(t.backend, { project: 'gemini' })
    const other = await enqueueOne(t.backend, { project: 'apollo' })

    const listed = async (filter: InboxFilter) => (await t.backend.inbox.list(filter)).items.map(({ id }) => id).sort()
    expect(await listed({ status: 'done' })).toEqual([done.id])
    expect(await listed({ project: 'gemini' })).toEqual([done.id, pending].sort())
    expect(await listed({ status: 'pending' })).toEqual([pending, other].sort())
    expect(await listed({ status: 'pending', project: 'apollo' })).toEqual([other])
    expect(await listed({ status: 'failed' })).toEqual([])
    expect(await listed({ project: 'nobody' })).toEqual([])
    expect(await listed({ project: '../apollo' })).toEqual([])
    expect(await listed({ status: 'no\0such' })).toEqual([])
  })

  clause('C-ALL-8', 'paging the inbox gives each task exactly once, whatever is enqueued meanwhile', async (t) => {
    const results = await t.backend.inbox.enqueue(tasks(11))
    const ids = results.map(({ id }) => id)
    let added = 0
    const paged = await allPages(t, { limit: 3 }, () => {
      added += 1
      return enqueueOne(t.backend, { filename: `new-${added}.md` })
    })
    expect(paged.filter((id) => ids.includes(id)).sort()).toEqual(ids.sort())
    expect(new Set(paged).size).toBe(paged.length)
  })

  clause('C-ALL-8', 'a page that ends with the last task is the last page', async (t) => {
    await t.backend.inbox.enqueue(tasks(4))
    expect(await allPages(t, { limit: 4 })).toHaveLength(4)
    expect((await t.backend.inbox.list({ limit: 4 })).cursor).toBeNull()
    expect(await allPages(t, { limit: 1 })).toHaveLength(4)
    expect(await allPages(t, { limit: 3, project: 'apollo', status: 'pending' })).toHaveLength(4)
  })

  clause('C-ALL-8', 'tasks that change while the inbox is paged do not hide the others', async (t) => {
    const results = await t.backend.inbox.enqueue(tasks(6))
    const paged = await allPages(t, { limit: 2 }, async () => {
      await t.backend.inbox.complete((await claimOne(t.backend)).claim)
    })
    expect(paged.sort()).toEqual(results.map(({ id }) => id).sort())
  })

  clause('C-ALL-8', 'a cursor or a limit that cannot be is invalid', async (t) => {
    await t.backend.inbox.enqueue(tasks(3))
    const wrong: InboxFilter[] = [
      { cursor: 'garbage' },
      { cursor: '' },
      { cursor: Buffer.from('{"a":1}').toString('base64url') },
      { cursor: Buffer.from('[true,true,true,true,true]').toString('base64url') },
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
      { limit: Number.NaN },
    ]
    for (const filter of wrong)
      await expect(t.backend.inbox.list(filter), JSON.stringify(filter)).rejects.toMatchObject({ code: 'invalid' })
  })
}
