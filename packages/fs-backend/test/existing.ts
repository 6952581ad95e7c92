import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, Page, PageRequest } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { type ExistingTree, plantTree, treeDigests } from '@nexus/testkit/existing'
import { openFsBackend } from '../src/index.ts'

export interface ExistingPlace extends AsyncDisposable {
  folder: string
  open(root?: string): Promise<Backend>
  advance(ms: number): void
  /** Summaries that the logger was told of as unreadable. */
  reported: Set<string>
}

/** A folder of its own with the fixture in it. */
export const existingPlace = async (tree: ExistingTree): Promise<ExistingPlace> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-existing-'))
  await plantTree(folder, tree)
  const { clock, context } = createFakes()
  const reported = new Set<string>()
  const logger = {
    ...context.logger,
    warn(_: string, fields?: Record<string, unknown>) {
      const path = fields?.['path']
      if (typeof path === 'string') reported.add(path.slice(folder.length + 1))
    },
  }
  return {
    folder,
    reported,
    open: (root = '.nexus') => openFsBackend({ root: join(folder, root), ...context, logger }),
    advance: (ms) => clock.advance(ms),
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Ours alone: everything in hidden folders below `.nexus`. */
const isOurs = (path: string): boolean =>
  path
    .split('/')
    .slice(0, -1)
    .some((part) => part.startsWith('.') && part !== '.nexus')

export const changesIn = async (folder: string, before: Map<string, string>) => {
  const after = await treeDigests(folder)
  return {
    /** What was there and is gone or another now. */
    changed: [...before.keys()].filter((path) => after.get(path) !== before.get(path)).sort(),
    /** What is new where others look. */
    added: [...after.keys()].filter((path) => !before.has(path) && !isOurs(path)).sort(),
  }
}

/** Every record of a list, in pages so small that there are several. */
export const allOf = async <T>(page: (request: PageRequest) => Promise<Page<T>>): Promise<Omit<Page<T>, 'cursor'>> => {
  const all: Omit<Page<T>, 'cursor'> = { items: [], corrupt: [] }
  let cursor: string | null | undefined
  do {
    const { items, corrupt, cursor: next } = await page({ limit: 2, ...(cursor ? { cursor } : {}) })
    all.items.push(...items)
    all.corrupt.push(...corrupt)
    cursor = next
  } while (cursor)
  return all
}
