import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, eachItem, type InboxTask, type Workflow } from '@nexus/core'
import { documentOf, type Step, stepName } from '@nexus/engine'
import { readExit, readStarted } from '../src/runner/run-records.ts'
import type { Fleet, Note } from './fleet.ts'
import type { Still } from './storm.ts'

/** A start of an agent, as its run folder says. */
interface Run {
  attempt: string
  root: string
  /** Wall clock, milliseconds. */
  startedAt: number
  /** Null: nobody wrote down when it ended, or only that its supervisor was lost. */
  endedAt: number | null
  reason: string | null
}

const readRuns = async (root: string): Promise<Run[]> => {
  const runs: Run[] = []
  for (const attempt of readdirSync(join(root, 'runs'))) {
    const folder = join(root, 'runs', attempt)
    const started = await readStarted(join(folder, 'started'))
    if (!started) continue
    const exit = await readExit(join(folder, 'exit.json'))
    const isTold = exit !== null && exit.reason !== 'supervisor-lost'
    runs.push({
      attempt,
      root,
      startedAt: Date.parse(started.startedAt),
      endedAt: isTold ? Date.parse(exit.endedAt) : null,
      reason: exit?.reason ?? null,
    })
  }
  return runs
}

const collected = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Every run of a step, the present one last, with what was accepted of it. */
const passesOf = (step: Step) => [
  ...step.passes.map(({ attempt_id, report }) => ({ attempt: attempt_id, report })),
  ...(step.attempt_id === null ? [] : [{ attempt: step.attempt_id, report: step.report }]),
]

const attemptPattern = /^at-/

/** What is wrong with the steps of one workflow. */
const faultsOf = (workflow: Workflow, notes: readonly Note[]): string[] => {
  const { steps, state, failure } = documentOf(workflow)
  const faults: string[] = []
  let before = 0
  for (const step of steps) {
    const name = `${workflow.id} ${stepName(step)}`
    const passes = passesOf(step)
    const accepted = passes.filter(({ report }) => report?.status === 'complete')
    if (accepted.length > 1) faults.push(`${name} was reported ${accepted.length} times`)
    if (state === 'completed' && accepted.length === 0) faults.push(`${name} was never reported`)
    for (const { attempt, report } of accepted)
      if (report?.report_id && attemptPattern.test(report.report_id) && report.report_id !== attempt)
        faults.push(`${name} in ${attempt} was answered by ${report.report_id}`)
    const known = new Set(passes.map(({ attempt }) => attempt))
    const starts = notes.filter((note) => note.word === 'START' && note.step === stepName(step))
    for (const { attempt } of starts) if (!known.has(attempt)) faults.push(`${name} never had the attempt ${attempt}`)
    const [first, last] = [Math.min(...starts.map(({ at }) => at)), Math.max(...starts.map(({ at }) => at))]
    if (first < before) faults.push(`${name} began before the step before it was through`)
    before = Math.max(before, last)
  }
  if (state === 'failed' && !failure?.error) faults.push(`${workflow.id} failed without a reason`)
  return faults
}

const stoodStill = (run: Run, at: number, still: readonly Still[]): boolean =>
  still.some(({ root, from, by, until }) => root === run.root && run.startedAt <= by && from <= at && at <= until)

/** Runs of one issue that were at work when a later one began. */
const overlapsOf = (runs: readonly Run[], still: readonly Still[]): string[] => {
  const inOrder = runs.toSorted((a, b) => a.startedAt - b.startedAt)
  return inOrder.flatMap((newer, index) =>
    inOrder
      .slice(0, index)
      .filter((older) => older.endedAt === null || older.endedAt > newer.startedAt)
      .filter((older) => !stoodStill(older, newer.startedAt, still))
      .map((older) => `${older.attempt} (${older.reason}) was at work when ${newer.attempt} began`),
  )
}

const faultsOfTask = ({ id, status, error }: InboxTask): string[] => {
  if (status !== 'done' && status !== 'failed') return [`task ${id} is ${status}`]
  return status === 'failed' && !error ? [`task ${id} failed without a reason`] : []
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Processes that belong to a run or watch over one. */
const leftBelow = (roots: readonly string[]): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const environment = readText(`/proc/${pid}/environ`)
      const command = readText(`/proc/${pid}/cmdline`)
      return roots.some((root) => environment.includes(`NEXUS_RUN=${root}/`) || command.includes(`${root}/runs`))
    })
    .map((pid) => `process ${pid} is left: ${readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)

export interface Verdict {
  figures: Record<
    'tasks' | 'done' | 'failed' | 'attempts' | 'steps' | 'late' | 'doubled' | 'overlapping' | 'left',
    number
  >
  /** What is wrong, in words. */
  faults: string[]
}

const startedTwice = (runs: readonly Run[], notes: readonly Note[]): string[] => {
  const counts = new Map<string, number>()
  for (const { word, attempt } of notes) if (word === 'START') counts.set(attempt, (counts.get(attempt) ?? 0) + 1)
  const roots = new Map<string, string[]>()
  for (const { attempt, root } of runs) roots.set(attempt, [...(roots.get(attempt) ?? []), root])
  return [
    ...[...counts].filter(([, count]) => count > 1).map(([attempt, count]) => `${attempt} began ${count} times`),
    ...[...roots].filter(([, of]) => of.length > 1).map(([attempt, of]) => `${attempt} has runs in ${of.join(', ')}`),
  ]
}

const issueOf = ({ project, issue }: Note): string => `${project}/${issue}`

/** What holds after all of it, from the stores, the run records and the agents' own notes. No host runs any more. */
export const judge = async (fleet: Fleet, stores: Backend, still: readonly Still[]): Promise<Verdict> => {
  const notes = fleet.notes()
  const roots = fleet.members.map(({ root }) => root)
  const runs = (await Promise.all(roots.map(readRuns))).flat()
  const tasks = await collected(eachItem((page) => stores.inbox.list(page)))
  const workflows = await collected(eachItem((page) => stores.workflows.list(page)))
  const issues = new Map<string, Note[]>()
  for (const note of notes) issues.set(issueOf(note), [...(issues.get(issueOf(note)) ?? []), note])
  const of = (issue: string): Note[] => issues.get(issue) ?? []
  const doubled = [
    ...startedTwice(runs, notes),
    ...workflows.flatMap((workflow) => faultsOf(workflow, of(`${workflow.project}/${workflow.issueNumber}`))),
  ]
  const overlapping = [...issues.values()].flatMap((told) => {
    const attempts = new Set(told.map(({ attempt }) => attempt))
    return overlapsOf(
      runs.filter(({ attempt }) => attempts.has(attempt)),
      still,
    )
  })
  const left = leftBelow(roots)
  return {
    figures: {
      tasks: tasks.length,
      done: tasks.filter(({ status }) => status === 'done').length,
      failed: tasks.filter(({ status }) => status === 'failed').length,
      attempts: notes.filter(({ word }) => word === 'START').length,
      steps: workflows.flatMap((w) => documentOf(w).steps.filter(({ status }) => status === 'completed')).length,
      late: notes.filter(({ word }) => word === 'LATE').length,
      doubled: doubled.length,
      overlapping: overlapping.length,
      left: left.length,
    },
    faults: [...tasks.flatMap(faultsOfTask), ...doubled, ...overlapping, ...left],
  }
}
