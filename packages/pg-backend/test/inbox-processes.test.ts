import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { bundleProgram } from './bundle.ts'
import { usePostgres } from './harness.ts'

const open = usePostgres()
let program = ''
beforeAll(async () => {
  program = await bundleProgram('inbox')
})

interface Worker extends Disposable {
  process: ChildProcess
  lines: string[]
  /** When it has said that line, or has ended. */
  said(line: string): Promise<void>
  ended: Promise<unknown>
}

const start = (dsn: string, worker: string, mode: 'hold' | 'drain'): Worker => {
  const child = spawn(process.execPath, [program, dsn, worker, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  const ended = once(reader, 'close')
  reader.on('line', (line) => void lines.push(line))
  return {
    process: child,
    lines,
    ended,
    async said(line) {
      while (!lines.includes(line)) await Promise.race([once(reader, 'line'), ended.then(() => Promise.reject(lines))])
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

const idsOf = (lines: string[], word: string): string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1))

test('[C-INBOX-3] [C-INBOX-12] four processes take each task once, and what a killed one held comes back', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const batch = Array.from({ length: 200 }, (_, n) => ({ project: `p${n % 3}`, filename: `${n}.md`, markdown: 'text' }))
  const ids = (await inbox.enqueue(batch)).map(({ id }) => id)

  using victim = start(t.dsn, 'victim', 'hold')
  await victim.said('holding')
  const held = idsOf(victim.lines, 'held')
  expect(held).toHaveLength(3)
  victim.process.kill('SIGKILL')
  await victim.ended

  const workers = ['a', 'b', 'c', 'd'].map((worker) => start(t.dsn, worker, 'drain'))
  await Promise.all(workers.map(({ ended }) => ended))
  const lines = workers.flatMap((worker) => worker.lines)
  const done = idsOf(lines, 'done')
  expect(idsOf(lines, 'lost')).toEqual([])
  expect(done.toSorted()).toEqual(ids.filter((id) => !held.includes(id)).sort())
  expect(await inbox.counts()).toEqual({ pending: 0, processing: 3, done: 197, failed: 0 })

  t.kill('victim')
  const resumed = await inbox.resume({ worker: 'heir', leaseMs: 60_000 })
  expect(resumed.map(({ id, issueNumber }) => [id, issueNumber])).toEqual(
    held.toSorted((a, b) => Number(a) - Number(b)).map((id) => [id, id]),
  )
  for (const { claim } of resumed) expect(await inbox.complete(claim)).toEqual({ status: 'done' })
  expect(await inbox.counts()).toEqual({ pending: 0, processing: 0, done: 200, failed: 0 })
})

test('[C-INBOX-11] what a killed process held is freed once its lease went by unrenewed', async () => {
  await using t = await open()
  const { inbox } = t.backend
  const enqueued = await inbox.enqueue([1, 2, 3].map((n) => ({ project: 'p', filename: `${n}.md`, markdown: 'text' })))
  using victim = start(t.dsn, 'victim', 'hold')
  await victim.said('holding')
  victim.process.kill('SIGKILL')
  await victim.ended

  expect(await inbox.sweep()).toEqual({ freed: [], failed: [] })
  await t.advance(59_000)
  expect(await inbox.sweep()).toEqual({ freed: [], failed: [] })
  await t.advance(2000)
  expect((await inbox.sweep()).freed.sort()).toEqual(enqueued.map(({ id }) => id).sort())
  using heir = start(t.dsn, 'heir', 'drain')
  await heir.ended
  expect(idsOf(heir.lines, 'done')).toHaveLength(3)
})
