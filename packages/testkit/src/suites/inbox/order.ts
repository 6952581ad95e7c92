import type { ClaimedTask } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimOne, claimUpTo, enqueueOne, hour, task, tasks } from './tasks.ts'

const oneByOne = async (t: Harness, count: number): Promise<ClaimedTask[]> => {
  const claimed: ClaimedTask[] = []
  while (claimed.length < count) claimed.push(await claimOne(t.backend))
  return claimed
}

const names = (claimed: ClaimedTask[]): string[] => claimed.map(({ filename }) => filename)

export const inboxOrder = (clause: Clause): void => {
  clause('C-INBOX-4', 'within a project the higher priority goes first', async (t) => {
    for (const priority of [0, 100, -100, 5]) await enqueueOne(t.backend, { filename: `${priority}.md`, priority })

    expect(names(await oneByOne(t, 4))).toEqual(['100.md', '5.md', '0.md', '-100.md'])
  })

  clause('C-INBOX-4', 'at one priority the earlier run time goes first', async (t) => {
    for (const ago of [2, 4, 3, 1])
      await enqueueOne(t.backend, { filename: `${ago}.md`, runAt: new Date(t.clock.now() - ago * hour) })

    expect(names(await oneByOne(t, 4))).toEqual(['4.md', '3.md', '2.md', '1.md'])
  })

  clause('C-INBOX-4', 'priority goes before run time', async (t) => {
    await enqueueOne(t.backend, { filename: 'old.md', runAt: new Date(t.clock.now() - 9 * hour) })
    await enqueueOne(t.backend, { filename: 'urgent.md', priority: 1 })

    expect(names(await oneByOne(t, 2))).toEqual(['urgent.md', 'old.md'])
  })

  clause('C-INBOX-4', 'otherwise in order of enqueueing, within a batch and over several', async (t) => {
    const order = ['c', 'a', 'd', 'b', 'f', 'e'].map((name) => `${name}.md`)
    await t.backend.inbox.enqueue(order.slice(0, 3).map((filename) => task({ filename })))
    for (const filename of order.slice(3)) await enqueueOne(t.backend, { filename })

    expect(names(await oneByOne(t, 6))).toEqual(order)
  })

  clause('C-INBOX-4', 'one claim of several tasks gives them in the same order', async (t) => {
    const runAt = new Date(t.clock.now() - hour)
    await t.backend.inbox.enqueue([
      task({ filename: '4.md', runAt }),
      task({ filename: '2.md', priority: 9, runAt }),
      task({ filename: '3.md', runAt: new Date(runAt.getTime() - hour) }),
      task({ filename: '1.md', priority: 10 }),
      task({ filename: '5.md', runAt }),
    ])
    expect(names(await claimUpTo(t.backend, 5))).toEqual(['1.md', '2.md', '3.md', '4.md', '5.md'])
  })
}

export const inboxFairness = (clause: Clause): void => {
  clause('C-INBOX-4', 'one claim serves every project before it serves one twice', async (t) => {
    for (const project of ['apollo', 'gemini', 'mercury']) await t.backend.inbox.enqueue(tasks(10, { project }))
    const first = await claimUpTo(t.backend, 3)
    const second = await claimUpTo(t.backend, 3)

    expect(first.map(({ project }) => project).sort()).toEqual(['apollo', 'gemini', 'mercury'])
    expect(second.map(({ project }) => project).sort()).toEqual(['apollo', 'gemini', 'mercury'])
  })

  clause('C-INBOX-4', 'claims of one task each go round the projects', async (t) => {
    for (const project of ['apollo', 'gemini', 'mercury']) await t.backend.inbox.enqueue(tasks(10, { project }))
    const claimed = await oneByOne(t, 3)

    expect(claimed.map(({ project }) => project).sort()).toEqual(['apollo', 'gemini', 'mercury'])
  })

  clause('C-INBOX-4', 'a project with much urgent work does not keep another waiting', async (t) => {
    await t.backend.inbox.enqueue(tasks(20, { project: 'apollo', priority: 100 }))
    const waiting = await enqueueOne(t.backend, { project: 'gemini', priority: -100 })

    expect((await claimUpTo(t.backend, 2)).map(({ id }) => id)).toContain(waiting)
  })

  clause('C-INBOX-4', 'a project alone gets all there is', async (t) => {
    await t.backend.inbox.enqueue(tasks(8))
    expect(await claimUpTo(t.backend, 8)).toHaveLength(8)
  })
}

export const inboxCap = (clause: Clause): void => {
  clause('C-INBOX-17', 'a project has at most its cap in processing, others are served', async (t) => {
    for (const project of ['apollo', 'gemini']) await t.backend.inbox.enqueue(tasks(5, { project }))
    const claimed = await claimUpTo(t.backend, 10, { maxPerProject: 2 })

    expect(claimed.map(({ project }) => project).sort()).toEqual(['apollo', 'apollo', 'gemini', 'gemini'])
    expect(await claimUpTo(t.backend, 10, { maxPerProject: 2 })).toEqual([])
  })

  clause('C-INBOX-17', 'those that already are in processing count, whoever holds them', async (t) => {
    await t.backend.inbox.enqueue(tasks(5))
    const [held] = await claimUpTo(t.backend, 2, { worker: 'worker-2' })
    expect(await claimUpTo(t.backend, 10, { maxPerProject: 3 })).toHaveLength(1)

    if (held) await t.backend.inbox.complete(held.claim)
    expect(await claimUpTo(t.backend, 10, { maxPerProject: 3 })).toHaveLength(1)
    expect(await claimUpTo(t.backend, 10)).toHaveLength(1)
  })
}
