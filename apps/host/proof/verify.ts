import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Workflow } from '@nexus/core'
import { expect } from 'vitest'
import { type AgentNote, steps, type World } from './world.ts'

const attemptsByStep = (notes: readonly AgentNote[]): Map<string, string[]> => {
  const found = new Map<string, string[]>()
  for (const { word, project, issue, step, attempt } of notes) {
    if (word !== 'START') continue
    const key = `${project}/${issue}/${step}`
    found.set(key, [...(found.get(key) ?? []), attempt])
  }
  return found
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return 'none'
  }
}

/** What is known of a step whose attempts are not as they should be: how each ended, and what its workflow made of it. */
const storyOf = (world: World, step: string, ids: readonly string[], workflows: readonly Workflow[]): string => {
  const runs = ids.map((id) => {
    const of = (file: string): string => textOf(join(world.root, '.nexus', 'runs', id, file))
    return `${id}\n  started ${of('started')}\n  exit ${of('exit.json')}\n  output ${of('output.log').slice(-2_000)}`
  })
  const workflow = workflows.find((one) => step.startsWith(`${one.project}/${one.issueNumber}/`))
  return [`attempts of ${step}`, ...runs, `workflow ${JSON.stringify(workflow?.data, null, 1)}`].join('\n')
}

/** What must hold at the end, read from the stores and from what the agents wrote down themselves. */
export const verify = async (world: World, tasks: number): Promise<Record<string, number>> => {
  await using stores = await world.openStores()
  const inbox = await stores.inbox.counts()
  const workflows = await stores.workflows.list({ limit: 1000 })
  const closed = await stores.taskFiles.list({ state: 'closed', limit: 1000 })
  const active = await stores.taskFiles.list({ state: 'active', limit: 1000 })
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
  for (const [step, ids] of attempts)
    expect(ids, ids.length === 1 ? step : storyOf(world, step, ids, workflows.items)).toHaveLength(1)
  for (const { project, issueNumber, data } of workflows.items) {
    const found = data['steps'] as { id: string; status: string; attempt_id: string; passes: unknown[] }[]
    const ran = found.map(({ id }) => attempts.get(`${project}/${issueNumber}/${id}`)?.[0])
    expect(found.map(({ status, attempt_id, passes }) => [status, attempt_id, passes.length])).toEqual(
      ran.map((attempt) => ['completed', attempt, 0]),
    )
    const history = await stores.completions.history(issueNumber ?? '', { project })
    expect(history.items.map(({ agentType }) => agentType.replace('@', '')).sort()).toEqual([
      'developer',
      'reviewer',
      'triage',
    ])
    expect(history.items.map(({ reportId }) => reportId).sort()).toEqual(ran.sort())
  }
  return {
    tasks,
    workflows: workflows.items.length,
    closed: closed.items.length,
    steps: attempts.size,
    attempts: [...attempts.values()].flat().length,
  }
}

/** The one line that a proof has to say. */
export const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}
