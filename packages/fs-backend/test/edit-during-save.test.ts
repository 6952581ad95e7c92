import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { afterEach, expect, test, vi } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { sys } from '../src/syscalls.ts'
import { freshRoot } from './harness.ts'

afterEach(() => void vi.restoreAllMocks())

test('[C-ALL-9] an edit that lands while a save publishes is kept in the quarantine and warned of', async () => {
  const root = await freshRoot()
  const path = join(root, 'state', 'key.json')
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) }
  await using backend = await openFsBackend({ root, ...createFakes().context, logger })
  await backend.hostState.save('key', { ours: 1 })
  const rename = sys.rename
  vi.spyOn(sys, 'rename').mockImplementation((async (from: string, to: string) => {
    if (to.endsWith('/key.json')) await writeFile(path, '{"theirs": 2}')
    await rename(from, to)
  }) as never)
  expect(await backend.hostState.save('key', { ours: 3 })).toMatchObject({ status: 'saved' })
  expect(await backend.hostState.load('key')).toMatchObject({ value: { ours: 3 } })
  const [copy = ''] = await readdir(join(root, '.quarantine'))
  expect(await readFile(join(root, '.quarantine', copy), 'utf8')).toBe('{"theirs": 2}')
  expect(warnings).toEqual(['Kept a copy of content that cannot be used'])
  await rm(root, { recursive: true, force: true })
})
