import { appendFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { sys } from '../src/syscalls.ts'
import { claimOne, claimUpTo, enqueueOne, hour, listAll, openInbox, recover, task } from './inbox-opening.ts'

afterEach(() => void vi.restoreAllMocks())

test('[C-INBOX-18] a file that is still being written is not taken before it stood still', async () => {
  await using t = await openInbox()
  // With the clock set back every file seems to come from the future: only standing still says that it is whole.
  t.clock.jump(-24 * hour)
  const path = await t.drop('apollo', 'slow.md', '# Half of')
  expect(await claimUpTo(t.inbox, 1)).toEqual([])
  t.clock.advance(499)
  await appendFile(path, ' a sentence')
  expect(await claimUpTo(t.inbox, 1)).toEqual([])
  t.clock.advance(499)
  expect(await claimUpTo(t.inbox, 1)).toEqual([])
  t.clock.advance(1)
  expect(await claimUpTo(t.inbox, 1)).toMatchObject([{ filename: 'slow.md', markdown: '# Half of a sentence' }])
})

test('[C-INBOX-18] what the earlier implementation left pending is taken over', async () => {
  await using t = await openInbox()
  await t.drop('apollo', 'task_42.md', '**Project:** apollo\n')
  await t.drop('apollo', 'task_b6f1c2d4-77aa.md', 'One sentence.')
  t.clock.advance(5000)
  const claimed = await claimUpTo(t.inbox, 9)
  expect(claimed.map(({ filename }) => filename).sort()).toEqual(['task_42.md', 'task_b6f1c2d4-77aa.md'])
  expect(await readdir(t.at('apollo'))).toEqual([])
})

test('[C-FILES-1] a pending task is a file of its markdown and nothing else; an edit before the claim counts', async () => {
  await using t = await openInbox()
  const id = await enqueueOne(t.inbox)
  const path = t.at('apollo', `task_${id}.md`)
  expect(await readFile(path, 'utf8')).toBe('# Fix the login\n')
  await writeFile(path, '# Fix the logout\n')
  expect(await claimOne(t.inbox)).toMatchObject({ id, filename: 'fix-login.md', markdown: '# Fix the logout\n' })
})

test('[C-FILES-3] symlinks, folders, hidden and other files are no tasks and stay', async () => {
  await using t = await openInbox()
  const outside = await t.drop('apollo', '.hidden.md', 'hidden')
  await t.drop('apollo', 'notes.txt', 'notes')
  await symlink(outside, t.at('apollo', 'link.md'))
  await mkdir(t.at('apollo', 'folder.md'))
  await mkdir(t.at('.secret'))
  await writeFile(t.at('.secret', 'a.md'), 'hidden')
  await symlink(t.at('.secret'), t.at('linked'))
  t.clock.advance(5000)

  expect(await claimUpTo(t.inbox, 9)).toEqual([])
  expect(await listAll(t.inbox)).toEqual([])
  expect(await t.inbox.counts()).toMatchObject({ pending: 0 })
  expect((await readdir(t.at('apollo'))).sort()).toEqual(['.hidden.md', 'folder.md', 'link.md', 'notes.txt'])
})

test('[C-INBOX-6] a file saved again while it is worked on runs next, under an id of its own', async () => {
  await using t = await openInbox()
  await t.drop('apollo', 'plan.md', 'first')
  t.clock.advance(5000)
  const first = await claimOne(t.inbox)
  await t.drop('apollo', 'plan.md', 'second')
  t.clock.advance(5000)
  expect(await claimUpTo(t.inbox, 9)).toEqual([])

  await t.inbox.release(first.claim)
  expect((await listAll(t.inbox)).map(({ markdown }) => markdown).sort()).toEqual(['first', 'second'])
  const again = await claimOne(t.inbox)
  await t.inbox.complete(again.claim)
  const next = await claimOne(t.inbox)
  expect([again.markdown, next.markdown].sort()).toEqual(['first', 'second'])
  expect(next.id).not.toBe(again.id)
  expect(next.filename).toBe('plan.md')
})

test('[C-INBOX-18] a file that is replaced while it is claimed is taken as what it is then', async () => {
  await using t = await openInbox()
  const path = await t.drop('apollo', 'plan.md', 'first')
  t.clock.advance(5000)
  const [before] = await listAll(t.inbox)
  const real = sys.rename
  let isReplaced = false
  vi.spyOn(sys, 'rename').mockImplementation(async (from, to) => {
    if (String(from).endsWith('plan.md') && !isReplaced) {
      isReplaced = true
      await writeFile(join(t.root, 'aside'), 'second')
      await rename(join(t.root, 'aside'), path)
    }
    return real(from, to)
  })
  expect(await claimUpTo(t.inbox, 9)).toEqual([])
  expect(isReplaced).toBe(true)
  t.clock.advance(5000)
  const claimed = await claimUpTo(t.inbox, 9)
  expect(claimed).toMatchObject([{ filename: 'plan.md', markdown: 'second' }])
  expect(claimed[0]?.id).not.toBe(before?.id)
  expect(await t.inbox.counts()).toMatchObject({ pending: 0, processing: 1 })
})

test('[C-FILES-4] a file that is no text is worked off, and its bytes stay as they are', async () => {
  await using t = await openInbox()
  const bytes = Buffer.from([0x23, 0x20, 0xff, 0x00, 0x0a])
  await mkdir(t.at('apollo'), { recursive: true })
  await writeFile(t.at('apollo', 'odd.md'), bytes)
  t.clock.advance(5000)
  const claimed = await claimOne(t.inbox)
  expect(claimed.markdown).toBe('# \uFFFD\uFFFD\n')
  await t.inbox.complete(claimed.claim)
  const [month] = await readdir(t.at('.q', 'done'))
  const files = await readdir(t.at('.q', 'done', month ?? ''))
  const file = files.find((name) => name.endsWith('.md'))
  expect(await readFile(t.at('.q', 'done', month ?? '', file ?? ''))).toEqual(bytes)
})

test('[C-INBOX-2] an identity whose task a person deleted holds nobody back', async () => {
  await using t = await openInbox()
  const id = await enqueueOne(t.inbox)
  await rm(t.at('apollo', `task_${id}.md`))
  expect(await t.inbox.load(id)).toBeNull()
  const [again] = await t.inbox.enqueue([task()])
  expect(again).toMatchObject({ status: 'enqueued' })
  expect(await t.inbox.enqueue([task()])).toEqual([{ status: 'duplicate', id: again?.id }])
  expect((await claimUpTo(t.inbox, 9)).map((claimed) => claimed.id)).toEqual([again?.id])
})

test('[C-INBOX-13] a running mark whose task a person deleted holds nobody back', async () => {
  await using t = await openInbox()
  await t.inbox.enqueue([task(), task({ filename: 'b.md' })])
  const [first, second] = await claimUpTo(t.inbox, 2)
  if (!first || !second) throw new Error('Expected both tasks.')
  expect(await t.inbox.bind(first.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
  const [file] = (await readdir(t.at('.q', 'processing'))).filter((name) => name.startsWith(first.id))
  await rm(t.at('.q', 'processing', file ?? ''))
  expect(await t.inbox.heartbeat([first.claim])).toMatchObject({ lost: [first.claim] })
  expect(await t.inbox.bind(second.claim, { issueNumber: '7' })).toMatchObject({ status: 'bound' })
})

test('[C-ALL-9] a task whose record is unreadable is listed as corrupt, stays, and holds no other up', async () => {
  await using t = await openInbox()
  const id = await enqueueOne(t.inbox)
  await enqueueOne(t.inbox, { filename: 'b.md' })
  const record = t.at('.q', 'meta', `${id}.0.json`)
  await writeFile(record, '{"id": ')
  const inbox = await recover(t)

  const page = await inbox.list()
  expect(page.corrupt).toMatchObject([{ name: id, place: record }])
  expect(page.items.map(({ filename }) => filename)).toEqual(['b.md'])
  await expect(inbox.load(id)).rejects.toMatchObject({ code: 'corrupt', place: record })
  expect((await claimUpTo(inbox, 9)).map(({ filename }) => filename)).toEqual(['b.md'])
  expect(await readFile(record, 'utf8')).toBe('{"id": ')
  expect(await readdir(t.at('apollo'))).toEqual([`task_${id}.md`])
})
