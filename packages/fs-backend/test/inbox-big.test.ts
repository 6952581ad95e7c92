import { readdir, rename, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { claimOne, enqueueOne, listAll, openInbox } from './inbox-opening.ts'
import { plant } from './planting.ts'

/** More than are listed at every change. */
const many = 1100

test('[C-INBOX-4] in a big folder what another opening enqueues is claimed in its order at once', async () => {
  await using t = await openInbox()
  const { pending } = plant(t.root, { pending: many })
  expect((await claimOne(t.inbox)).id).toBe(pending[0])
  expect((await claimOne(t.inbox)).id).toBe(pending[1])
  const peer = await t.peer()
  const urgent = await enqueueOne(peer, { filename: 'urgent.md', priority: 9 })
  const later = await enqueueOne(peer, { filename: 'later.md', priority: 9 })
  expect((await claimOne(t.inbox)).id).toBe(urgent)
  expect((await claimOne(peer)).id).toBe(later)
  expect((await claimOne(t.inbox)).id).toBe(pending[2])
  const given = await claimOne(peer)
  expect(given.id).toBe(pending[3])
  await peer.release(given.claim)
  const again = await claimOne(t.inbox)
  expect(again.id).toBe(pending[4])
})

test('[C-INBOX-16] in a big folder counts are exact, whichever opening moved the tasks', async () => {
  await using t = await openInbox()
  const { pending } = plant(t.root, { pending: many, done: 3 })
  const peer = await t.peer()
  expect(await peer.counts()).toEqual({ pending: many, processing: 0, done: 3, failed: 0 })
  const { claim } = await claimOne(t.inbox)
  await claimOne(t.inbox)
  await enqueueOne(t.inbox)
  await t.inbox.cancel(pending[9] ?? '')
  expect(await peer.counts()).toEqual({ pending: many - 2, processing: 2, done: 3, failed: 1 })
  await t.inbox.release(claim)
  expect(await peer.counts()).toEqual({ pending: many - 1, processing: 1, done: 3, failed: 1 })
})

test('[C-INBOX-18] a copied file of ours is a task of its own, beside a big folder too: listed and claimed once', async () => {
  await using t = await openInbox()
  const { pending } = plant(t.root, { pending: many })
  const file = `task_${pending[0]}.md`
  await t.drop('gemini', file, 'a copy')
  t.clock.advance(5000)
  const listed = await listAll(t.inbox)
  expect(listed).toHaveLength(many + 1)
  expect(new Set(listed.map(({ id }) => id)).size).toBe(many + 1)
  const copy = listed.find(({ project }) => project === 'gemini')
  expect(copy).toMatchObject({ filename: file, markdown: 'a copy' })
  expect(await (await t.peer()).load(copy?.id ?? '')).toMatchObject({ project: 'gemini' })
  const claimed = [await claimOne(t.inbox), await claimOne(t.inbox)]
  expect(claimed.map(({ id }) => id).sort()).toEqual([pending[0], copy?.id].sort())
})

test('[C-INBOX-4] pending files that earlier versions named stand where their records say', async () => {
  await using t = await openInbox()
  const first = await enqueueOne(t.inbox, { filename: 'first.md' })
  const urgent = await enqueueOne(t.inbox, { filename: 'urgent.md', priority: 5 })
  const [named = ''] = (await readdir(t.at('apollo'))).filter((file) => file.includes(urgent))
  expect(named).toMatch(/^task_[0-9a-z]+\.0\.[0-9a-z]+\.[0-9a-z]+\.md$/)
  await rename(t.at('apollo', named), t.at('apollo', `task_${urgent}.0.md`))
  await writeFile(t.at('apollo', 'task_42.md'), 'by hand')
  t.clock.advance(5000)
  expect((await claimOne(t.inbox)).id).toBe(urgent)
  expect((await claimOne(t.inbox)).id).toBe(first)
  expect(await claimOne(t.inbox)).toMatchObject({ filename: 'task_42.md' })
})
