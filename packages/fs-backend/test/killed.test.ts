import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { buildPrograms, startProgram } from './children.ts'
import { freshRoot } from './harness.ts'

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

/** Runs the mixed writer until it has said so many lines, then kills it at once. Resolves to its acknowledgements. */
const runAndKill = async (root: string, name: string, lines: number): Promise<string[]> => {
  const writer = startProgram(programs, 'writer', ['mixed', root, name, '1000'])
  while (writer.lines.length < lines && (await writer.nextLine()) !== null);
  writer.process.kill('SIGKILL')
  await writer.ended
  return writer.lines.slice(1)
}

const numberIn = (value: string): number => Number(value.split('-')[1])

/** The last acknowledged value of a kind, and the one that was under way when the writer was killed. */
const allowed = (acknowledged: readonly string[], kind: string, name: string): string[] => {
  const last = acknowledged
    .filter((line) => line.startsWith(`${kind} `))
    .at(-1)
    ?.slice(kind.length + 1)
  const next = last === undefined ? 0 : numberIn(last) + 1
  return [...(last === undefined ? [] : [last]), `${name}-${next}`]
}

const everything = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('[C-ALL-1] kill -9 at any moment loses nothing acknowledged and tears nothing', async () => {
  const root = await freshRoot()
  try {
    for (let round = 0; round < 12; round++) {
      const name = `r${round}`
      const acknowledged = await runAndKill(root, name, 7 + ((round * 13) % 29))
      const backend = await open(root)
      const flow = await backend.workflows.load('flow')
      expect(allowed(acknowledged, 'workflow', name)).toContain(flow?.name)
      const { items } = await backend.taskFiles.list()
      expect(items).toHaveLength(1)
      expect(items[0]?.filename).toBe('task.md')
      const [value = '', filler] = items[0]?.content.split('\n') ?? []
      expect(allowed(acknowledged, 'task', name)).toContain(value)
      expect(filler).toHaveLength(20_000)
      expect(items[0]?.issueNumber).toBe(value.split('-')[1])
      const [completion] = (await backend.completions.scan()).items
      expect(allowed(acknowledged, 'completion', name)).toContain(completion?.summary)
      const mirror = join(root, 'tasks', 'alpha', 'completions', 'completion_summary_1.json')
      await backend.completions.save({
        project: 'alpha',
        issueNumber: '1',
        agentType: 'developer',
        status: 'complete',
        summary: 'again',
        payload: { round },
        reportId: null,
      })
      expect(JSON.parse(await readFile(mirror, 'utf8'))).toEqual({ round })
      expect((await backend.completions.history('1')).items).toHaveLength(1)
      expect(await readdir(join(root, '.tmp'))).toEqual([])
      await backend[Symbol.asyncDispose]()
    }
    const odd = (await everything(root)).filter((path) => /\.(gone|aside)$/.test(path))
    expect(odd).toEqual([])
  } finally {
    await rm(root, { recursive: true, force: true })
  }
})
