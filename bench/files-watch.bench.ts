import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openFsBackend } from '@nexus/fs-backend'
import { expect, test } from 'vitest'
import { context } from './context.ts'
import { median } from './figures.ts'
import { recordsOf, taskOf } from './records.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'

const tasks = 10_000
const page = 1_000
/** Of each round. */
const events = 300

interface Watch {
  readyMs: number
  memoryMb: number
  /** The middle, from before the rename that puts a file there. */
  eventMs: number
}

/** A process of its own watches the inbox, and hears of files that are put there one after the other. */
const watchOnce = async (watcher: 'ours' | 'chokidar', root: string, projects: readonly string[]): Promise<Watch> => {
  const program = fileURLToPath(new URL(`watchers/${watcher}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [program, root], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const first = JSON.parse(String((await lines.next()).value)) as Omit<Watch, 'eventMs'>
  const times: number[] = []
  for (let n = 0; n < events; n += 1) {
    const project = projects[n % projects.length] ?? ''
    const [temp, path] = [join(root, `put-${n}`), join(root, 'inbox', project, `put-${watcher}-${n}.md`)]
    await writeFile(temp, 'Text.')
    const begun = performance.now()
    await rename(temp, path)
    for (let heard = ''; heard !== project; ) heard = String((await lines.next()).value)
    times.push(performance.now() - begun)
    await rm(path)
  }
  child.stdin.end()
  expect(await ended).toEqual([0, null])
  return { ...first, eventMs: median(times) }
}

test('watching an inbox of ten thousand tasks', async () => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  const projects = new Set<string>()
  {
    await using backend = await openFsBackend({ root, ...context })
    for (let first = 0; first < tasks; first += page) {
      const some = Array.from({ length: page }, (_, n) => taskOf(first + n))
      for (const { project } of some) projects.add(project)
      await recordsOf(backend).write('inbox', some)
    }
  }
  const found: Record<'ours' | 'chokidar', Watch[]> = { ours: [], chokidar: [] }
  const contender = (watcher: 'ours' | 'chokidar') => async (): Promise<number> => {
    const watch = await watchOnce(watcher, root, [...projects])
    found[watcher].push(watch)
    return watch.readyMs
  }
  await interleave({ ours: contender('ours'), chokidar: contender('chokidar') })
  // The first round warmed up.
  const figures = (what: keyof Watch) => ({
    ours: found.ours.slice(1).map((watch) => watch[what]),
    chokidar: found.chokidar.slice(1).map((watch) => watch[what]),
  })
  const row = 'watch an inbox of 10,000 tasks, files'
  publish({ row: `${row}: ready`, unit: 'ms', rounds: figures('readyMs'), mark: { atMost: 100 } })
  publish<string>({ row: `${row}: memory`, unit: 'MB', rounds: figures('memoryMb'), against: 'chokidar' })
  publish<string>({ row: `${row}: a new file`, unit: 'ms', rounds: figures('eventMs'), against: 'chokidar' })
  await rm(root, { recursive: true })
})
