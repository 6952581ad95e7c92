import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClaimRequest, StoreError, silentLogger } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withTaskDrops } from '../src/task-drops.ts'

const request: ClaimRequest = { worker: 'w1', limit: 10, leaseMs: 60_000, projects: ['shop'] }

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus-drops-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const drop = async (filename: string, text: string): Promise<void> => {
  await mkdir(join(root, 'inbox', 'shop'), { recursive: true })
  await writeFile(join(root, 'inbox', 'shop', filename), text)
}

const open = async () => {
  const { clock, context, kill } = createFakes()
  const elsewhere = openMemoryBackend(context)
  const files = await openFsBackend({ root, ...context })
  const inbox = withTaskDrops({ inbox: elsewhere.inbox, drops: files.inbox, rootId: 'r', logger: silentLogger })
  return { inbox, elsewhere, files, clock, kill }
}

test('[C-INBOX-18] a file dropped below the root is a task of an inbox that lives elsewhere, once', async () => {
  const { inbox, elsewhere, files, clock } = await open()
  await drop('cart.md', 'The cart forgets.')
  clock.advance(1000)
  expect(await inbox.claim(request)).toMatchObject([{ filename: 'cart.md', markdown: 'The cart forgets.' }])
  expect(await inbox.claim(request)).toEqual([])
  expect(await elsewhere.inbox.counts()).toMatchObject({ pending: 0, processing: 1 })
  expect(await files.inbox.counts()).toMatchObject({ pending: 0, processing: 0, done: 1 })
})

test('[C-ALL-1] a crash between taking the drop and telling the folder brings it in once', async () => {
  const { inbox, elsewhere, files, clock, kill } = await open()
  await drop('cart.md', 'The cart forgets.')
  clock.advance(1000)
  const crashing = withTaskDrops({
    inbox: elsewhere.inbox,
    drops: {
      ...files.inbox,
      complete: () => Promise.reject(new Error('killed')),
      release: () => Promise.reject(new Error('killed')),
    },
    rootId: 'r',
    logger: silentLogger,
  })
  await expect(crashing.claim({ ...request, worker: 'w0' })).rejects.toThrow('killed')
  kill('w0')
  expect(await inbox.claim(request)).toMatchObject([{ filename: 'cart.md' }])
  expect(await elsewhere.inbox.list()).toMatchObject({ items: [{ filename: 'cart.md' }] })
  expect(await files.inbox.counts()).toMatchObject({ processing: 0, done: 1 })
})

test('[C-ROUTE-7] while the inbox cannot be reached the drop stays, and comes in afterwards', async () => {
  const { inbox, elsewhere, files, clock } = await open()
  await drop('cart.md', 'The cart forgets.')
  clock.advance(1000)
  const down = withTaskDrops({
    inbox: {
      ...elsewhere.inbox,
      enqueue: () => Promise.reject(new StoreError({ code: 'unavailable', message: 'down' })),
    },
    drops: files.inbox,
    rootId: 'r',
    logger: silentLogger,
  })
  await expect(down.claim(request)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await files.inbox.counts()).toMatchObject({ pending: 1, processing: 0 })
  expect(await inbox.claim(request)).toMatchObject([{ filename: 'cart.md' }])
})

test('[C-ROUTE-7] of several drops that come while the inbox cannot be reached, each comes in afterwards', async () => {
  const { inbox, elsewhere, files, clock } = await open()
  for (const name of ['a.md', 'b.md', 'c.md']) await drop(name, `Do ${name}.`)
  clock.advance(1000)
  let calls = 0
  const failing = withTaskDrops({
    inbox: {
      ...elsewhere.inbox,
      enqueue(tasks, options) {
        calls += 1
        if (calls > 1) return Promise.reject(new StoreError({ code: 'unavailable', message: 'down' }))
        return elsewhere.inbox.enqueue(tasks, options)
      },
    },
    drops: files.inbox,
    rootId: 'r',
    logger: silentLogger,
  })
  await expect(failing.claim(request)).rejects.toMatchObject({ code: 'unavailable' })
  expect(await files.inbox.counts()).toMatchObject({ pending: 2, processing: 0 })
  expect(await inbox.claim(request)).toHaveLength(3)
})

test('[C-INBOX-11] a drop that a silent host of another machine holds comes in after its lease', async () => {
  const { inbox, files, clock } = await open()
  await drop('cart.md', 'The cart forgets.')
  clock.advance(1000)
  expect(await files.inbox.claim({ ...request, worker: 'elsewhere' })).toHaveLength(1)
  expect(await inbox.claim(request)).toEqual([])
  await inbox.sweep()
  clock.advance(60_001)
  await inbox.sweep()
  expect(await inbox.claim(request)).toMatchObject([{ filename: 'cart.md' }])
})

test('[C-INBOX-19] a drop is heard of, and the watch ends with its signal', async () => {
  const { inbox } = await open()
  const controller = new AbortController()
  const heard = (async () => {
    for await (const hint of inbox.watch(controller.signal)) {
      controller.abort()
      return hint
    }
    return null
  })()
  await drop('cart.md', 'The cart forgets.')
  expect(await heard).not.toBeNull()
})

test('[C-INBOX-18] beside the kept copy of an inbox that moved, work goes on; what was dropped comes in when that is gone', async () => {
  const { inbox, elsewhere, files, clock } = await open()
  await files.inbox.enqueue([{ project: 'shop', filename: 'moved.md', markdown: 'moved' }])
  await files.records?.markMoved([{ store: 'inbox', to: 'postgres', at: new Date(0) }])
  await elsewhere.inbox.enqueue([{ project: 'shop', filename: 'other.md', markdown: 'other' }])
  await drop('cart.md', 'The cart forgets.')
  clock.advance(1000)
  await inbox.sweep()
  expect((await inbox.claim(request)).map(({ filename }) => filename)).toEqual(['other.md'])
  const { items } = (await files.records?.read('inbox')) ?? { items: [] }
  const kept = items.filter(({ filename }) => filename === 'moved.md').map(({ id }) => id)
  await files.records?.remove('inbox', kept)
  await files.records?.unmarkMoved(['inbox'])
  expect((await inbox.claim(request)).map(({ filename }) => filename)).toEqual(['cart.md'])
})
