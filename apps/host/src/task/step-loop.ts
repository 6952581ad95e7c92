import { advance, documentOf, type EngineEvent, isDue, nextDueMs, runningAttemptsOf } from '@nexus/engine'
import type { ProjectConfig } from '../config/host-config.ts'
import type { HostTools } from '../host-tools.ts'
import type { Hold } from '../loop/hold.ts'
import { apply, holdingOf, look, timeOf } from './apply.ts'
import { stopAgents } from './run-step.ts'
import type { Scene } from './scene.ts'
import { tend } from './tend.ts'

/** Where the steps of a workflow stop, for now or for ever. */
export type StepsEnd =
  | { status: 'completed' | 'vanished' }
  /** `fatal`: no retry of the task may mend it. */
  | { status: 'failed'; error: string; fatal: boolean }
  /** No agent of the running step is started here now. */
  | { status: 'held-back'; reason: string; waitMs: number }
  /** `since`: the workflow's last change. */
  | { status: 'paused'; reason: string; since: Date }
  | { status: 'cancelled'; reason: string }

/** Whether the inbox has heard of the failure that this document records: then this hold is the retry. */
const isTold = ({ hold: { task }, document: { failure } }: Scene): boolean => {
  if (!failure || failure.task !== task.id) return true
  if (failure.epoch === task.claim.epoch) return false
  return !(failure.attempts === task.attempts && task.recoveries > failure.recoveries)
}

const start = async (tools: HostTools, scene: Scene): Promise<void> => {
  const step = scene.document.steps[scene.document.current_step] ?? scene.document.steps[0]
  if (!step) return
  await tools.collect()
  const { launch } = await look(tools, scene, step)
  await apply(tools, scene, { type: 'start', at: timeOf(tools), launch, holding: holdingOf(scene) })
}

type HeldBack = Extract<StepsEnd, { status: 'held-back' }>

/** Whoever claims the task next, below whichever root, begins a run of its own: these attempts were in nobody's hands. */
const holdBack = async (tools: HostTools, scene: Scene, attempts: string[], end: HeldBack): Promise<StepsEnd> => {
  for (const attempt of attempts)
    if ((await tools.runner.observe(attempt)).status === 'prepared') await tools.runner.stop(attempt)
  await apply(tools, scene, { type: 'not-started', at: timeOf(tools), attempts })
  return end
}

const heldBack = (reason: string, waitMs: number): StepsEnd => ({ status: 'held-back', reason, waitMs })

/** One round on a workflow that is under way. Waits for a ring, or for the time of a retry, where nothing is to be done. */
const tendAll = async (tools: HostTools, scene: Scene): Promise<StepsEnd | null> => {
  const { hold, document } = scene
  const at = timeOf(tools)
  const overdue: EngineEvent = { type: 'deadline', at, holding: holdingOf(scene) }
  if (advance(document, overdue).document !== document) return done(apply(tools, scene, overdue))
  const held = new Map<string, HeldBack>()
  for (const step of document.steps) {
    if (step.status !== 'running' || step.attempt_id === null) continue
    const tended = await tend(tools, scene, step, step.attempt_id)
    if (tended.status === 'applied') return null
    if (tended.status === 'held-back') held.set(step.attempt_id, tended)
  }
  const running = runningAttemptsOf(document)
  if (tools.drain.isRequested && running.length === 0) return heldBack('the host is draining', 0)
  if (isDue(document, at)) return done(start(tools, scene))
  // What runs beside it is waited for.
  const [end] = held.values()
  if (end && held.size === running.length) return holdBack(tools, scene, [...held.keys()], end)
  const dueMs = (nextDueMs(document) ?? Number.POSITIVE_INFINITY) - tools.clock.now()
  if (running.length === 0 && dueMs > tools.timing.busyMs && Number.isFinite(dueMs))
    return heldBack('its next try is due later', dueMs)
  await hold.bell.wait(Math.max(1, Math.min(tools.timing.pollMs, dueMs)), hold.signal)
  return null
}

const done = async (work: Promise<void>): Promise<null> => {
  await work
  return null
}

/** Whether an agent of a running step is at work, also one that an earlier host of ours started. */
const isAtWork = async ({ runner }: HostTools, { hold, document }: Scene): Promise<boolean> => {
  const attempts = runningAttemptsOf(document)
  for (const attempt of attempts) {
    if (hold.runs.has(attempt) || (await runner.observe(attempt)).status !== 'running') continue
    hold.runs.set(attempt, null)
    runner.follow(attempt)
  }
  return attempts.some((attempt) => hold.runs.get(attempt) === null)
}

/**
 * While a workflow is paused its agents may finish, and what they report waits in the store. An agent that paused it
 * itself has said its word.
 */
const paused = async (tools: HostTools, scene: Scene): Promise<StepsEnd | null> => {
  const { hold, document, workflow } = scene
  if (!(await isAtWork(tools, scene))) {
    // What they wrote last lies in mailboxes that are looked at for as long as the task is held.
    await tools.collect()
    const reason = document.paused_reason ?? `the workflow is ${document.state}`
    return { status: 'paused', reason, since: workflow.updatedAt }
  }
  await hold.bell.wait(tools.timing.pollMs, hold.signal)
  return null
}

const visit = async (tools: HostTools, scene: Scene & Pick<StepsOf, 'onWork'>): Promise<StepsEnd | null> => {
  const { hold, document } = scene
  const { state, failure } = document
  if (state === 'completed') return { status: 'completed' }
  if (state === 'cancelled') return { status: 'cancelled', reason: 'the workflow is cancelled' }
  if (state === 'failed' && (hold.sawRunning || !isTold(scene)))
    return { status: 'failed', error: failure?.error ?? 'the workflow failed', fatal: failure?.fatal ?? false }
  if (hold.cancelRequested) {
    await apply(tools, scene, { type: 'cancel', reason: 'cancelled by a person', at: timeOf(tools) })
    return state === 'failed' ? { status: 'cancelled', reason: 'cancelled by a person' } : null
  }
  if (state !== 'running' && state !== 'pending' && state !== 'failed') return paused(tools, scene)
  // Only from here on is a failure news: before, it is the one that this hold is the retry of.
  if (state !== 'failed') {
    hold.sawRunning = true
    await scene.onWork()
  }
  return state === 'running' ? tendAll(tools, scene) : done(start(tools, scene))
}

export interface StepsOf {
  hold: Hold
  project: ProjectConfig
  issueNumber: string
  workflowId: string
  /** Hears again and again that the workflow is under way. */
  onWork(): Promise<void>
}

/** Carries a workflow on until it ends or waits for a person. Everything it knows it reads from the stores. */
export const runSteps = async (tools: HostTools, { workflowId, ...given }: StepsOf): Promise<StepsEnd> => {
  const { hold } = given
  for (;;) {
    hold.signal.throwIfAborted()
    if (tools.quiet.isAsked) {
      await hold.bell.wait(tools.timing.pollMs, hold.signal)
      continue
    }
    const workflow = await tools.stores.workflows.load(workflowId)
    if (!workflow) {
      // Its agents are among the attempts of no workflow any more: whoever comes next would work beside them.
      if (hold.document) await stopAgents(tools, hold, hold.document, { lingerMs: 0 })
      return { status: 'vanished' }
    }
    const document = documentOf(workflow)
    hold.document = document
    const end = await visit(tools, { ...given, workflow, document })
    if (!end) continue
    // What is to be started later must not be stopped for ever.
    if (end.status === 'held-back') return end
    await stopAgents(tools, hold, document, {
      lingerMs: ['completed', 'paused'].includes(end.status) ? tools.timing.lingerMs : 0,
    })
    return end
  }
}
