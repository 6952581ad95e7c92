import type { Completion } from '@nexus/core'
import { type EngineEvent, type Launch, roleOf, runsBeside, type Step } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import { confirmHold } from '../loop/confirm.ts'
import type { RunExit } from '../runner/index.ts'
import { apply, holdingOf, look, timeOf } from './apply.ts'
import { unanswered, unproven } from './completions-of.ts'
import { runStep, type StepStart } from './run-step.ts'
import type { Scene } from './scene.ts'

/** Ends that say nothing about the agent: its supervisor or host was gone. */
const surroundings: readonly string[] = ['supervisor-lost', 'lease-expired', 'stopped']

interface Ended {
  attempt: string
  error: string
  fault: 'agent' | 'surroundings'
  launch: Launch
}

const endedEvent = (tools: HostTools, scene: Scene, ended: Ended): EngineEvent => ({
  type: 'agent-ended',
  at: timeOf(tools),
  holding: holdingOf(scene),
  ...ended,
})

const reportEvent = (tools: HostTools, scene: Scene, completion: Completion, launch: Launch): EngineEvent => ({
  type: 'report',
  at: timeOf(tools),
  holding: holdingOf(scene),
  completion,
  launch,
})

/** Its agent does what it is for: whatever it says, it said it. */
const answered = async (tools: HostTools, scene: Scene, step: Step, event: EngineEvent): Promise<void> => {
  tools.fuse.worked(step.agent.name)
  await apply(tools, scene, event)
}

const summaryFileOf = (tools: HostTools, { project, issueNumber, document }: Scene, attempt: string): string =>
  tools.summaryFile({ project: project.key, issueNumber, attempt, isBeside: runsBeside(document) })

/** The agent is over. What it wrote last may still be on its way into the store. */
const judge = async (tools: HostTools, scene: Scene, step: Step, attempt: string, exit: RunExit): Promise<void> => {
  const { clock, timing, logger } = tools
  const { bell, signal } = scene.hold
  const until = clock.monotonic() + timing.summaryMs
  for (;;) {
    const { waiting } = await tools.collect()
    const { answer, records, launch, isPartial } = await look(tools, scene, step)
    if (answer) return answered(tools, scene, step, reportEvent(tools, scene, answer, launch))
    if (isPartial) throw unproven()
    if (waiting === 0 || clock.monotonic() >= until) {
      const hint = exit.code === 127 ? ", the shell's word for a command not found" : ''
      const how = exit.message ?? (exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}${hint}`)
      const ending = `The agent ${step.agent.name} ended (${exit.reason}: ${how})`
      const unreadable = await tools.whyUnreadable(summaryFileOf(tools, scene, attempt), scene.issueNumber)
      const error = `${ending} ${unanswered(scene.document, step, records, unreadable)}. Its output: runs/${attempt}/output.log`
      const fault = surroundings.includes(exit.reason) ? 'surroundings' : 'agent'
      logger.info('agent ended without an answer', { attempt, reason: exit.reason, fault })
      if (fault === 'agent') tools.fuse.failed(step.agent.name, error)
      return apply(tools, scene, endedEvent(tools, scene, { attempt, error, fault, launch }))
    }
    await bell.wait(timing.pollMs / 5, signal)
    signal.throwIfAborted()
  }
}

/** `applied`: the document may have changed. `at-work`: nothing is to be done. */
export type Tended = { status: 'applied' | 'at-work' } | Extract<StepStart, { status: 'held-back' }>

/**
 * A run below another root, whose claim is ours: its host is gone, or has let go. Its agent was ended with the lease that
 * host no longer renewed, which is much shorter than a claim's.
 */
const takeOver = async (tools: HostTools, scene: Scene, attempt: string, launch: Launch): Promise<Tended> => {
  await confirmHold(tools, scene.hold, 0)
  tools.logger.info('agent of another host given up', { attempt, project: scene.project.key, issue: scene.issueNumber })
  const error = `The host that ran the agent is gone, and its run ${attempt} with it`
  await apply(tools, scene, endedEvent(tools, scene, { attempt, error, fault: 'surroundings', launch }))
  return { status: 'applied' }
}

/** Nobody but this hold knows of a fresh attempt: it ran nowhere, and nothing can have answered it. Null for all others. */
const startFresh = async (tools: HostTools, scene: Scene, step: Step, attempt: string): Promise<StepStart | null> => {
  const { hold } = scene
  const agent = tools.config.agents.get(roleOf(step.agent.name))
  if (!hold.fresh.has(attempt) || hold.runs.has(attempt) || step.baseline_partial || !agent) return null
  return runStep(tools, scene, { step, attempt, agent, mayStart: true })
}

/**
 * One look at a running step: takes its answer, starts its agent, or settles its end.
 */
export const tend = async (tools: HostTools, scene: Scene, step: Step, attempt: string): Promise<Tended> => {
  const { hold } = scene
  const fresh = await startFresh(tools, scene, step, attempt)
  if (fresh?.status === 'held-back') return fresh
  if (fresh && fresh.status !== 'refused') return { status: hold.runs.get(attempt) ? 'applied' : 'at-work' }
  const { answer, launch, isPartial } = await look(tools, scene, step)
  const applied = async (event: EngineEvent): Promise<Tended> => {
    await apply(tools, scene, event)
    return { status: 'applied' }
  }
  if (answer) {
    await answered(tools, scene, step, reportEvent(tools, scene, answer, launch))
    return { status: 'applied' }
  }
  if (step.baseline_partial && !isPartial) return applied({ type: 'baseline', attempt, at: timeOf(tools), launch })
  // Nobody but this hold knows of a fresh attempt yet: it cannot have run anywhere.
  const mayStart = !isPartial || hold.fresh.has(attempt)
  if (!tools.attempts.isOurs(attempt)) {
    if (isPartial) throw unproven()
    return takeOver(tools, scene, attempt, launch)
  }
  const fail = (error: string) => {
    if (!mayStart) throw unproven()
    return applied(endedEvent(tools, scene, { attempt, error, fault: 'agent', launch }))
  }
  if (fresh) return fail(fresh.error)
  const agent = tools.config.agents.get(roleOf(step.agent.name))
  if (!agent) return fail(`There is no agent "${step.agent.name}" in ${tools.config.file}.`)
  if (!hold.runs.has(attempt)) {
    const started = await runStep(tools, scene, { step, attempt, agent, mayStart })
    if (started.status === 'refused') return fail(started.error)
    if (started.status === 'held-back') return started
  }
  const exit = hold.runs.get(attempt)
  if (!exit) return { status: 'at-work' }
  await judge(tools, scene, step, attempt, exit)
  return { status: 'applied' }
}
