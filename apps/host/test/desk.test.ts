import { type ClaimedTask, silentLogger } from '@nexus/core'
import { expect, test } from 'vitest'
import { createDesk } from '../src/loop/desk.ts'
import type { TaskOutcome } from '../src/task/finish.ts'

const taskOf = (id: string): ClaimedTask => ({
  id,
  project: 'shop',
  workspace: '',
  filename: 'a.md',
  markdown: '',
  status: 'processing',
  priority: 0,
  runAt: new Date(0),
  attempts: 0,
  recoveries: 0,
  maxAttempts: 3,
  idempotencyKey: null,
  issueNumber: null,
  error: null,
  claimedBy: 'w1',
  cancelRequested: false,
  createdAt: new Date(0),
  processedAt: null,
  claim: { id, epoch: 1, worker: 'w1' },
})

/** What a desk counts and keeps of tasks that end so, one after the other. */
const work = async (outcomes: readonly (readonly [string, TaskOutcome])[], once: boolean) => {
  const counted: string[] = []
  const telemetry = { taskEnded: (_: string, status: string) => void counted.push(status) }
  const next = outcomes.map(([, outcome]) => outcome)
  let room = () => {}
  const desk = createDesk(
    { logger: silentLogger, telemetry },
    {
      holds: new Map(),
      once,
      work: async () => next.shift() ?? expect.fail(),
      onRoom: () => room(),
    },
  )
  for (const [id] of outcomes)
    await new Promise<void>((resolve) => {
      room = resolve
      desk.take(taskOf(id))
    })
  return { counted, kept: [...desk.unfinished.keys()] }
}

test('a task that is held back again is counted once', async () => {
  const heldBack = { status: 'held-back', retryAt: new Date(0) } as const
  const { counted } = await work(
    [
      ['1', heldBack],
      ['1', heldBack],
      ['1', { status: 'done' }],
    ],
    true,
  )
  expect(counted).toEqual(['held-back', 'done'])
})

test('what is over is kept for the answer of --once alone', async () => {
  const ends = [
    ['1', { status: 'failed', error: 'x' }],
    ['2', { status: 'lost' }],
    ['3', { status: 'busy', retryAt: new Date(0) }],
  ] as const
  expect((await work(ends, true)).kept).toEqual(['1', '2', '3'])
  expect((await work(ends, false)).kept).toEqual(['3'])
})
