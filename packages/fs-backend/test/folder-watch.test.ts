import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFolderWatch } from '../src/folder-watch.ts'
import { freshRoot } from './harness.ts'

/** What a watch of a fresh folder tells, to be waited for. */
const watching = async (work: (root: string, told: (path: string) => Promise<void>) => Promise<void>) => {
  const root = await freshRoot()
  await mkdir(join(root, 'there'))
  const seen = new Set<string>()
  let wake = (): void => undefined
  const watched = openFolderWatch({
    folder: root,
    depth: 1,
    isWatched: (name) => !name.startsWith('.'),
    changed(path) {
      seen.add(path.slice(root.length + 1))
      wake()
    },
    failed(error) {
      throw error
    },
  })
  await watched.ready
  const told = async (path: string): Promise<void> => {
    while (!seen.delete(path))
      await new Promise<void>((resolve) => {
        wake = resolve
      })
  }
  try {
    await work(root, told)
    expect([...seen].filter((path) => path.includes('.hidden') || path.includes('deep/'))).toEqual([])
  } finally {
    watched.close()
    await rm(root, { recursive: true, force: true })
  }
}

test('files of a folder that was there, and of one that comes later, are told', () =>
  watching(async (root, told) => {
    await writeFile(join(root, 'there/a.md'), 'a')
    await told('there/a.md')
    await mkdir(join(root, 'later'))
    await told('later')
    await writeFile(join(root, 'later/b.md'), 'b')
    await told('later/b.md')
    await writeFile(join(root, 'there/a.md'), 'changed')
    await told('there/a.md')
  }))

test('a folder that takes the name of another is watched in its place', () =>
  watching(async (root, told) => {
    await rm(join(root, 'there'), { recursive: true })
    await mkdir(join(root, 'there'))
    await told('there')
    await writeFile(join(root, 'there/a.md'), 'a')
    await told('there/a.md')
    await mkdir(join(root, '.hidden'))
    await rename(join(root, '.hidden'), join(root, 'moved'))
    await told('moved')
    await writeFile(join(root, 'moved/c.md'), 'c')
    await told('moved/c.md')
  }))

test('hidden names and what lies deeper are told nothing of', () =>
  watching(async (root, told) => {
    await mkdir(join(root, '.hidden'))
    await writeFile(join(root, '.hidden/a.md'), 'a')
    await mkdir(join(root, 'there/deep'))
    await told('there/deep')
    await writeFile(join(root, 'there/deep/a.md'), 'a')
    await writeFile(join(root, 'there/.hidden'), 'a')
    await writeFile(join(root, 'there/last.md'), 'a')
    await told('there/last.md')
  }))
