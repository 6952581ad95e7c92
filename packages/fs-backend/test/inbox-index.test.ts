import { mkdtemp, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { createFolderIndex } from '../src/inbox/folder-index.ts'
import { createNews } from '../src/inbox/news.ts'
import { createListing, type Listing } from '../src/listing.ts'
import { openTools } from '../src/tools.ts'

const few = 3

/** An index of a folder in which three files are many, with a clock that stands still but for 10 ms that a listing takes. */
const openIndex = async (given: Partial<Listing> = {}) => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-index-'))
  const tools = await openTools(root, createFakes().context, () => false)
  const newsFile = join(root, 'news')
  const news = createNews({ ...tools, path: newsFile, full: 10_000 })
  let now = 0
  let listings = 0
  const real = { ...createListing(tools), ...given }
  const listing: Listing = {
    ...real,
    async names(folder, take) {
      listings += 1
      now += 10
      await real.names(folder, take)
    },
  }
  const folder = join(root, 'queue')
  const write = (file: string): Promise<void> => writeFile(join(folder, file), '')
  await tools.atomic.makeFolder(folder)
  const index = createFolderIndex(
    { listing, news, few, now: () => now },
    {
      name: 'queue',
      folder,
      compare: (a, b) => (a.file < b.file ? -1 : 1),
      read: async (files) => files.map((file) => ({ file, id: `id-${file}` })),
    },
  )
  return {
    newsFile,
    index,
    write,
    wait(ms: number): void {
      now += ms
    },
    listings: (): number => listings,
    files: (): string[] => [...index.entries()].map(({ file }) => file).sort(),
    tell: (kind: '+' | '-', file: string) => news.tell({ kind, folder: 'queue', file }),
    remove: (file: string) => unlink(join(folder, file)),
    /** As of a big folder whose news are heard. */
    async fill() {
      for (const file of ['b', 'c', 'd', 'e', 'f']) await write(file)
      await index.refresh()
      listings = 0
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

test('[C-INBOX-4] a change within the tick of the one before is seen', async () => {
  await using t = await openIndex({ stamp: async () => '1 5.5 5.5' })
  await t.write('b')
  await t.index.refresh()
  await t.write('a')
  await t.index.refresh()
  expect(t.files()).toEqual(['a', 'b'])
})

test('a small folder that stood still is not listed again, and one that changed is', async () => {
  await using t = await openIndex()
  await t.write('a')
  await t.index.refresh()
  t.wait(100)
  await t.index.refresh()
  expect(t.listings()).toBe(2)
  await t.index.refresh()
  expect(t.listings()).toBe(2)
  await t.write('b')
  await t.index.refresh()
  expect(t.files()).toEqual(['a', 'b'])
})

test('[C-INBOX-4] in a big folder what others told is seen in order at once; what nobody told is found by listing', async () => {
  await using t = await openIndex()
  await t.fill()
  await t.write('a')
  await t.tell('+', 'a')
  await t.write('0')
  await t.remove('c')
  await t.tell('-', 'c')
  await t.index.refresh()
  expect(t.listings()).toBe(0)
  expect(t.files()).toEqual(['a', 'b', 'd', 'e', 'f'])
  expect((await t.index.next())?.file).toBe('a')

  t.wait(1000)
  await t.index.refresh()
  expect(t.listings()).toBe(1)
  expect(t.files()).toEqual(['0', 'a', 'b', 'd', 'e', 'f'])
})

test('an exact look lists a big folder that changed, and one that did not change once', async () => {
  await using t = await openIndex()
  await t.fill()
  await t.write('a')
  t.wait(100)
  await t.index.refresh(true)
  t.wait(100)
  await t.index.refresh(true)
  await t.index.refresh(true)
  expect(t.files()).toContain('a')
  expect(t.listings()).toBe(2)
})

test('news that come late bring nothing back', async () => {
  await using t = await openIndex()
  await t.fill()
  t.index.drop('b')
  await t.tell('+', 'b')
  await t.remove('b')
  await t.index.refresh()
  expect(t.listings()).toBe(0)
  expect(t.files()).not.toContain('b')
})

const harms: Record<string, (news: string) => Promise<void>> = {
  removed: (news) => rm(news),
  'cut off': (news) => truncate(news, 3),
  replaced: async (news) => {
    await writeFile(`${news}.other`, '\n'.repeat(500))
    await rename(`${news}.other`, news)
  },
}

for (const [harm, work] of Object.entries(harms))
  test(`[C-INBOX-4] after the news were ${harm} the folder is listed, and news are heard again`, async () => {
    await using t = await openIndex()
    await t.fill()
    await t.tell('+', 'b')
    await t.index.refresh()
    await t.write('a')
    await work(t.newsFile)
    await t.index.refresh()
    expect(t.files()).toContain('a')
    const before = t.listings()
    await t.write('0')
    await t.tell('+', '0')
    await t.index.refresh()
    expect(t.files()).toContain('0')
    expect(t.listings()).toBe(before)
  })

test('[C-INBOX-4] rubbish among the news hides none of them', async () => {
  await using t = await openIndex()
  await t.fill()
  await writeFile(t.newsFile, Buffer.from([0xff, 0x00, 0x0a, 0x5b, 0x22]), { flag: 'a' })
  await writeFile(t.newsFile, '\n{"+":1}\nnull\n["+",7,"x"]\n["+","queue', { flag: 'a' })
  await t.write('a')
  await t.tell('+', 'a')
  await t.index.refresh()
  expect(t.listings()).toBe(0)
  expect(t.files()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
})

test('the news begin anew when they are full', async () => {
  await using t = await openIndex()
  await t.fill()
  await t.write('a')
  await Promise.all(Array.from({ length: 400 }, () => t.tell('+', 'a')))
  await t.index.refresh()
  expect(t.files()).toContain('a')
})
