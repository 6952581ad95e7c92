import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { afterEach, expect, test, vi } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { sys } from '../src/syscalls.ts'
import { freshRoot } from './harness.ts'

afterEach(() => void vi.restoreAllMocks())

const plain = '7:developer:complete'

const open = (root: string) =>
  openFsBackend({
    root,
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown',
  })

const save = async (backend: Awaited<ReturnType<typeof open>>, project: string): Promise<string> => {
  const report = { issueNumber: '7', agentType: 'developer', status: 'complete', summary: 'done' } as const
  return (await backend.completions.save({ ...report, project, payload: {}, reportId: null })).dedupKey
}

/** Runs `between` once, before the call of that number that changes something on the disk. */
const beforeCall = (number: number, between: () => Promise<void>): void => {
  let calls = 0
  for (const name of ['link', 'rename', 'unlink', 'fsync'] as const) {
    const real = sys[name] as (...args: unknown[]) => Promise<void>
    vi.spyOn(sys, name).mockImplementation((async (...args: unknown[]) => {
      calls++
      if (calls === number) await between()
      return real(...args)
    }) as never)
  }
}

/**
 * Alpha's save stands still before one of its calls, while beta's runs from end to end; then it goes on, or never does.
 * Resolves to the keys that were answered and those that are kept.
 */
const interrupt = async (root: string, number: number, isKilled: boolean) => {
  const [alpha, beta] = [await open(root), await open(root)]
  const answers: Record<string, string> = {}
  await new Promise<void>((end, fail) => {
    beforeCall(number, async () => {
      answers['beta'] = await save(beta, 'beta')
      if (isKilled) await new Promise(() => end())
    })
    save(alpha, 'alpha').then((key) => {
      answers['alpha'] = key
      end()
    }, fail)
  })
  vi.restoreAllMocks()
  const { items } = await (await open(root)).completions.history('7')
  const kept = Object.fromEntries(items.map(({ project, dedupKey }) => [project ?? '', dedupKey]))
  return { answers, kept, late: await save(await open(root), 'late') }
}

test.for([
  { end: 'goes on', isKilled: false },
  { end: 'is killed', isKilled: true },
])('[C-COMPLETION-2] a save that comes between two calls of another, which $end', async ({ isKilled }) => {
  const root = await freshRoot()
  const winners = new Set<string>()
  for (let number = 1; ; number++) {
    const { answers, kept, late } = await interrupt(join(root, String(number)), number, isKilled)
    // So many calls it does not make.
    if (!('beta' in answers)) break
    expect(kept, `before call ${number}`).toMatchObject(answers)
    const holders = Object.keys(kept).filter((project) => kept[project] === plain)
    expect(holders, `before call ${number}`).toHaveLength(1)
    expect(late, `before call ${number}`).toBe(`late/${plain}`)
    for (const holder of holders) winners.add(holder)
  }
  expect([...winners].sort()).toEqual(['alpha', 'beta'])
  await rm(root, { recursive: true, force: true })
})
