import { once } from 'node:events'
import type { Backend } from '@nexus/core'
import { expect, test } from 'vitest'
import {
  type AgentNote,
  createWorld,
  enqueuedTask,
  projects,
  routings,
  steps,
  taskMarkdown,
  type World,
} from './world.ts'

const tasks = 20
const projectOf = (n: number): string => projects[n % projects.length] ?? projects[0]

/** Half enqueued by a program; of the rest every other one dropped by an editor while the host is at work. */
const bringTasks = async (world: World, stores: Backend): Promise<void> => {
  const numbers = Array.from({ length: tasks }, (_, n) => n)
  const [enqueued, dropped] = [numbers.filter((n) => n % 2 === 0), numbers.filter((n) => n % 2 === 1)]
  const answers = await stores.inbox.enqueue(enqueued.map((n) => enqueuedTask(n, projectOf(n))))
  expect(answers.map(({ status }) => status)).toEqual(enqueued.map(() => 'enqueued'))
  for (const n of dropped) await world.editorDrops(projectOf(n), `dropped ${n}.md`, taskMarkdown(n))
}

/** Moments in milliseconds after a host's start; `NEXUS_PROOF_SEED` replays them. */
const killMoments = (): { seed: number; moments: number[] } => {
  const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
  return { seed, moments: Array.from({ length: 10 }, () => Math.round(150 + next() * 1500)) }
}

const attemptsByStep = (notes: readonly AgentNote[]): Map<string, string[]> => {
  const found = new Map<string, string[]>()
  for (const { word, project, issue, step, attempt } of notes) {
    if (word !== 'START') continue
    const key = `${project}/${issue}/${step}`
    found.set(key, [...(found.get(key) ?? []), attempt])
  }
  return found
}

/** What must hold at the end, read from the stores and from what the agents wrote down themselves. */
const verify = async (world: World): Promise<string> => {
  await using stores = await world.openStores()
  const inbox = await stores.inbox.counts()
  const workflows = await stores.workflows.list({ limit: 100 })
  const closed = await stores.taskFiles.list({ state: 'closed', limit: 100 })
  const active = await stores.taskFiles.list({ state: 'active', limit: 100 })
  expect(inbox).toEqual({ pending: 0, processing: 0, done: tasks, failed: 0 })
  expect(workflows.items.map(({ state }) => state)).toEqual(Array(tasks).fill('completed'))
  expect(closed.items).toHaveLength(tasks)
  expect(active.items).toEqual([])
  expect(workflows.corrupt.length + closed.corrupt.length).toBe(0)

  const attempts = attemptsByStep(await world.notes())
  const wanted = workflows.items.flatMap((workflow) =>
    steps.map((step) => `${workflow.project}/${workflow.issueNumber}/${step}`),
  )
  expect([...attempts.keys()].sort()).toEqual(wanted.sort())
  for (const [step, ids] of attempts) expect(ids, `attempts of ${step}`).toHaveLength(1)
  for (const { project, issueNumber, data } of workflows.items) {
    const reports = (data['steps'] as { status: string; attempt_id: string }[]).map(({ status }) => status)
    expect(reports).toEqual(['completed', 'completed', 'completed'])
    const history = await stores.completions.history(issueNumber ?? '', { project })
    expect(history.items.map(({ agentType }) => agentType).sort()).toEqual(['developer', 'reviewer', 'triage'])
  }
  return `tasks=${tasks} workflows=${workflows.items.length} closed=${closed.items.length} steps=${attempts.size} attempts=${[...attempts.values()].flat().length}`
}

const finish = async (world: World): Promise<void> => {
  const host = world.startHost('--once')
  const [code] = await once(host, 'exit')
  expect(code, host.said.join('')).toBe(0)
}

for (const [name, routing] of Object.entries(routings)) {
  test(`twenty tasks through three real agents each: ${name}`, async () => {
    await using world = await createWorld(routing)
    {
      await using stores = await world.openStores()
      await bringTasks(world, stores)
    }
    await finish(world)
    process.stdout.write(`real-input ${name}: ${await verify(world)}\n`)
  })

  test(`the same with the host killed at ten random moments: ${name}`, async () => {
    await using world = await createWorld(routing)
    {
      await using stores = await world.openStores()
      await bringTasks(world, stores)
    }
    const { seed, moments } = killMoments()
    for (const moment of moments) {
      const host = world.startHost()
      const gone = once(host, 'exit')
      const alarm = setTimeout(() => host.kill('SIGKILL'), moment)
      const [code, signal] = await gone
      clearTimeout(alarm)
      expect({ code, signal }, host.said.join('')).toEqual({ code: null, signal: 'SIGKILL' })
    }
    await finish(world)
    process.stdout.write(
      `real-input ${name}, killed after ${moments.join(', ')} ms, seed=${seed}: ${await verify(world)}\n`,
    )
  })
}
