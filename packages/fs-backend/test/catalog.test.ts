import { mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { createCatalog, type FactReader } from '../src/catalog.ts'
import { createWithFolder } from '../src/folder.ts'
import { look } from '../src/look.ts'
import { createReading } from '../src/reading.ts'
import { mostSteps } from '../src/slices.ts'
import { freshRoot } from './harness.ts'

interface Setting {
  root: string
  write(path: string, text: string): Promise<void>
  /** What a look finds, and how many files it read. */
  lookAt(folder: string): Promise<{ found: Record<string, string>; reads: number }>
}

interface Parts {
  /** Of the clock that stamps files; a minute later than it is, unless given. */
  now?: () => number
  most?: number
  reader?: Partial<FactReader<string>>
}

const aMinuteLater = (): number => Date.now() + 60_000

const inSetting = async (
  { now = aMinuteLater, most = 100_000, reader = {} }: Parts,
  work: (setting: Setting) => Promise<void>,
): Promise<void> => {
  const root = await freshRoot()
  const reading = createReading(createWithFolder(root))
  const catalog = createCatalog<string>({ reading, most, now })
  let reads = 0
  const texts: FactReader<string> = {
    isRecord: (name) => name.endsWith('.txt'),
    isKind: (found) => found.isFile(),
    read(folder, name) {
      reads++
      const file = look.read(folder, name)
      return file && { facts: file.bytes.toString() }
    },
    ...reader,
  }
  try {
    await work({
      root,
      async write(path, text) {
        await mkdir(dirname(join(root, path)), { recursive: true })
        await writeFile(join(root, path), text)
      },
      async lookAt(folder) {
        const before = reads
        const known = await catalog.look(join(root, folder), texts)
        const found = Object.fromEntries([...known].map(([name, { facts }]) => [name, facts]))
        return { found, reads: reads - before }
      },
    })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

test('what did not change is read once, what did is read again', () =>
  inSetting({}, async ({ write, lookAt }) => {
    await write('a/1.txt', 'one')
    await write('a/2.txt', 'two')
    await write('a/2.json', 'another kind')
    const found = { '1.txt': 'one', '2.txt': 'two' }
    expect(await lookAt('a')).toEqual({ found, reads: 2 })
    expect(await lookAt('a')).toEqual({ found, reads: 0 })
    await write('a/2.txt', 'three')
    expect(await lookAt('a')).toEqual({ found: { ...found, '2.txt': 'three' }, reads: 1 })
  }))

test('[C-ALL-4] an edit in place of the same size, with the time set back, is seen', () =>
  inSetting({}, async ({ root, write, lookAt }) => {
    await write('a/1.txt', 'one')
    const made = new Date('2026-01-02T03:04:05Z')
    await utimes(join(root, 'a/1.txt'), made, made)
    await lookAt('a')
    await write('a/1.txt', 'two')
    await utimes(join(root, 'a/1.txt'), made, made)
    expect((await stat(join(root, 'a/1.txt'))).mtime).toEqual(made)
    expect(await lookAt('a')).toEqual({ found: { '1.txt': 'two' }, reads: 1 })
  }))

test('[C-ALL-4] a stamp as young as a tick of the clock, or from the future, is not believed', async () => {
  let now = 0
  await inSetting({ now: () => now }, async ({ root, write, lookAt }) => {
    await write('a/1.txt', 'one')
    const { ctimeMs } = await stat(join(root, 'a/1.txt'))
    for (const [age, reads] of [
      [-60_000, 1],
      [0, 1],
      [2000, 1],
      [2001, 1],
      [0, 0],
    ] as const) {
      now = ctimeMs + age
      expect(await lookAt('a'), `at the age of ${age}`).toEqual({ found: { '1.txt': 'one' }, reads })
    }
  })
})

test('what is pending is read again, whatever its stamp', () => {
  let asked = 0
  return inSetting({ reader: { read: () => ({ facts: String(++asked), isPending: true }) } }, async (setting) => {
    await setting.write('a/1.txt', 'one')
    for (const time of ['1', '2']) expect((await setting.lookAt('a')).found).toEqual({ '1.txt': time })
  })
})

test('what is removed is forgotten', () =>
  inSetting({}, async ({ root, write, lookAt }) => {
    await write('a/1.txt', 'one')
    await write('a/2.txt', 'two')
    await lookAt('a')
    await rename(join(root, 'a/1.txt'), join(root, 'aside'))
    expect(await lookAt('a')).toEqual({ found: { '2.txt': 'two' }, reads: 0 })
    await utimes(join(root, 'aside'), new Date(), new Date())
    await rename(join(root, 'aside'), join(root, 'a/1.txt'))
    expect(await lookAt('a')).toEqual({ found: { '1.txt': 'one', '2.txt': 'two' }, reads: 1 })
    await rm(join(root, 'a'), { recursive: true })
    expect(await lookAt('a')).toEqual({ found: {}, reads: 0 })
  }))

test('[C-FILES-3] a file or folder swapped for a symlink is no record any more', () =>
  inSetting({}, async ({ root, write, lookAt }) => {
    await write('a/1.txt', 'one')
    await write('a/2.txt', 'two')
    await write('b/1.txt', 'outside')
    await lookAt('a')
    await rm(join(root, 'a/1.txt'))
    await symlink(join(root, 'b/1.txt'), join(root, 'a/1.txt'))
    expect(await lookAt('a')).toEqual({ found: { '2.txt': 'two' }, reads: 0 })
    await rm(join(root, 'a'), { recursive: true })
    await symlink(join(root, 'b'), join(root, 'a'))
    expect(await lookAt('a')).toEqual({ found: {}, reads: 0 })
  }))

test('what is kept has a bound: the folder looked at longest ago is read anew', () =>
  inSetting({ most: 3 }, async ({ write, lookAt }) => {
    for (const path of ['a/1.txt', 'b/1.txt', 'b/2.txt', 'c/1.txt']) await write(path, path)
    for (const [folder, reads] of Object.entries({ a: 1, b: 2, c: 1 }))
      expect((await lookAt(folder)).reads, folder).toBe(reads)
    for (const [folder, reads] of [
      ['c', 0],
      ['b', 0],
      ['a', 1],
      ['c', 1],
    ] as const)
      expect((await lookAt(folder)).reads, folder).toBe(reads)
  }))

test('a look shows what was there when it was asked for, also behind one that is under way', () =>
  inSetting({}, async ({ root, write, lookAt }) => {
    for (let n = 0; n < 2 * mostSteps; n++) await write(`a/${n}.txt`, 'old')
    const first = lookAt('a')
    await writeFile(join(root, 'a/0.txt'), 'new')
    const later = await Promise.all([lookAt('a'), lookAt('a')])
    expect(later.map(({ found }) => found['0.txt'])).toEqual(['new', 'new'])
    await first
  }))

test('between two slices of a look others have their turn', () =>
  inSetting({}, async ({ write, lookAt }) => {
    const slices = 6
    for (let n = 0; n < slices * mostSteps; n++) await write(`a/${n}.txt`, 'x')
    let [turns, isOver] = [0, false]
    const turn = (): void => {
      turns++
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    await lookAt('a')
    isOver = true
    expect(turns).toBeGreaterThanOrEqual(slices - 1)
  }))

test('a file that cannot be read stops the look, and says which', async () => {
  const reader = {
    read: () => {
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    },
  }
  await inSetting({ reader }, async ({ root, write, lookAt }) => {
    await write('a/1.txt', 'one')
    const message = expect.stringContaining(join(root, 'a/1.txt'))
    await expect(lookAt('a')).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied', message })
    expect(await readFile(join(root, 'a/1.txt'), 'utf8')).toBe('one')
  })
})
