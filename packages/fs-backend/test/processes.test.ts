import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { buildPrograms, type Program, startProgram } from './children.ts'
import { freshRoot } from './harness.ts'

const names = ['one', 'two', 'three', 'four']

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

const open = (root: string) =>
  openFsBackend({
    root,
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown',
  })

type Disturb = (running: readonly Program[]) => void

/** Whoever says something stops the one beside it, and lets the one after that go on. */
const napping: Disturb = (running) => {
  const signal = (at: number, name: NodeJS.Signals): void => void running[at % running.length]?.process.kill(name)
  for (const [at, { output, ended }] of running.entries()) {
    output.on('line', () => {
      signal(at + 1, 'SIGSTOP')
      signal(at + 2, 'SIGCONT')
    })
    ended.then(() => {
      for (const one of running.keys()) signal(one, 'SIGCONT')
    })
  }
}

/** Four processes do the same job at once; resolves to what was acknowledged, over all of them. */
const race = async (root: string, job: string, count: number, disturb?: Disturb): Promise<string[]> => {
  const running = names.map((name) => startProgram(programs, 'writer', [job, root, name, String(count)]))
  disturb?.(running)
  expect(await Promise.all(running.map(({ ended }) => ended))).toEqual(names.map(() => 0))
  return running.flatMap(({ lines }) => lines.filter((line) => line !== 'ready'))
}

const inRoot = async (work: (root: string) => Promise<void>): Promise<void> => {
  const root = await freshRoot()
  try {
    await work(root)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const tally = (lines: readonly string[], word: string): number => lines.filter((line) => line.startsWith(word)).length

describe('several processes on one folder', () => {
  test('[C-STATE-4] a counter adds up', () =>
    inRoot(async (root) => {
      const lines = await race(root, 'count', 25)
      expect(lines).toHaveLength(100)
      expect(new Set(lines).size).toBe(100)
      expect((await (await open(root)).hostState.load('counter'))?.value).toBe(100)
    }))

  test('[C-STATE-3] concurrent patches of different members all win', () =>
    inRoot(async (root) => {
      const lines = await race(root, 'patch', 20)
      expect(tally(lines, 'saved')).toBe(80)
      const value = (await (await open(root)).hostState.load('shared'))?.value
      expect(Object.keys(value as object)).toHaveLength(80)
    }))

  test('[C-WORKFLOW-2] of racing guarded saves exactly one wins', () =>
    inRoot(async (root) => {
      const lines = await race(root, 'guarded', 20)
      expect(tally(lines, 'conflict')).toBe(60)
      const saved = lines.filter((line) => line.startsWith('saved'))
      expect(new Set(saved).size).toBe(20)
    }))

  test('[C-COMPLETION-1] of racing saves of one key exactly one is created', () =>
    inRoot(async (root) => {
      const lines = await race(root, 'complete', 10)
      expect(lines.filter((line) => line.startsWith('created')).sort()).toEqual(
        Array.from({ length: 10 }, (_, n) => `created ${n}`).sort(),
      )
      const { items } = await (await open(root)).completions.scan()
      expect(items).toHaveLength(10)
    }))

  test('[C-COMPLETION-2] of racing projects one gets the plain key', () =>
    inRoot(async (root) => {
      const lines = await race(root, 'own', 10)
      expect(new Set(lines).size).toBe(40)
      for (let n = 0; n < 10; n++)
        expect(lines.filter((line) => line === `created ${n}:developer:complete`)).toHaveLength(1)
    }))

  test('[C-TASK-4] closing and reopening at once leaves one file', () =>
    inRoot(async (root) => {
      const backend = await open(root)
      await backend.taskFiles.save({ project: 'alpha', filename: 'task.md', content: 'text', issueNumber: '7' })
      await race(root, 'move', 20)
      const { items } = await backend.taskFiles.list()
      expect(items).toMatchObject([{ filename: 'task.md', content: 'text', issueNumber: '7' }])
    }))

  test('[C-TASK-4] closed, reopened and saved by all, of whom some stand still now and then, it stays one file', () =>
    inRoot(async (root) => {
      const backend = await open(root)
      await backend.taskFiles.save({ project: 'alpha', filename: 'task.md', content: 'text' })
      const lines = await race(root, 'edit', 60, napping)
      expect(new Set(lines)).toEqual(new Set(['task.md']))
      expect((await backend.taskFiles.list()).items).toHaveLength(1)
    }))

  test('[C-COMPLETION-10] drops are imported once, whoever looks', () =>
    inRoot(async (root) => {
      const folder = join(root, 'tasks', 'alpha', 'completions')
      await mkdir(folder, { recursive: true })
      for (let n = 0; n < 20; n++)
        await writeFile(
          join(folder, `completion_summary_${n}.json`),
          JSON.stringify({ agent_type: 'developer', summary: 'done' }),
        )
      const before = await readdir(folder)
      const lines = await race(root, 'scan', 2)
      expect(new Set(lines)).toEqual(new Set(['scanned 20']))
      const { items } = await (await open(root)).completions.scan()
      expect(items.every(({ createdAt, savedAt }) => createdAt.getTime() === savedAt.getTime())).toBe(true)
      expect((await readdir(folder)).filter((name) => !name.startsWith('.'))).toEqual(before)
    }))
})
