import { type AgentConfig, type ProjectConfig, roleOf } from '../config/host-config.ts'
import { advance, type EngineEvent, type Launch } from '../engine/advance.ts'
import { createAttemptId, documentOf, type Step, toData, type WorkflowDocument } from '../engine/document.ts'
import type { HostTools } from '../host-tools.ts'
import type { Hold } from '../loop/hold.ts'
import type { RunExit } from '../runner/index.ts'
import { readReported, unanswered } from './completions-of.ts'
import { runStep, stopAgents } from './run-step.ts'
import type { Scene } from './scene.ts'

/** Where the steps of a workflow stop, for now or for ever. */
export type StepsEnd =
  | { status: 'completed' | 'vanished' }
  | { status: 'failed'; error: string }
  | { status: 'paused'; reason: string }
  | { status: 'cancelled'; reason: string }

/** Ends that say nothing about the agent: its supervisor or host was gone. */
const surroundings: readonly string[] = ['supervisor-lost', 'lease-expired', 'stopped']

/** Where the failure stands that this document records: told to the inbox since, or not yet. */
const isTold = ({ hold: { task }, document: { failure } }: Scene): boolean => {
  if (!failure || failure['task'] !== task.id) return true
  if (failure.epoch === task.claim.epoch) return false
  return !(failure.attempts === task.attempts && task.recoveries > failure.recoveries)
}

export const createStepLoop = (tools: HostTools) => {
  const { stores, logger, clock, timing } = tools

  /** Saves what the event makes of the document. A conflict is no failure: the next look sees what was saved instead. */
  const apply = async (
    { hold, project, issueNumber, workflow, document }: Scene,
    event: EngineEvent,
  ): Promise<void> => {
    const result = advance(document, event)
    if (result.document === document) return
    const { id, name } = workflow
    const { state, current_step: step } = result.document
    const input = {
      id,
      name,
      state,
      currentStep: step,
      project: project.key,
      issueNumber,
      data: toData(result.document),
    }
    const saved = await stores.workflows.save(input, { ifRev: workflow.rev })
    if (saved.status === 'conflict') return
    const about = { project: project.key, issue: issueNumber, workflow: id }
    if (event.type === 'report') {
      const { agentType, status, summary } = event.completion
      logger.info('step reported', { ...about, agent: agentType, status, summary })
    }
    for (const effect of result.effects)
      if (effect.type === 'fail-task') logger.warn('step failed', { ...about, error: effect.error })
    hold.document = result.document
  }

  const at = (): string => new Date(clock.now()).toISOString()
  const launch = (baseline: string[]): Launch => ({ attempt: createAttemptId(tools.ids.next()), baseline })
  const placeOf = ({ project, issueNumber, workflow }: Scene) => ({
    project: project.key,
    issueNumber,
    workflowId: workflow.id,
  })

  const look = async (scene: Scene, step: Step) => {
    const reported = await readReported(tools, scene.document, step, placeOf(scene))
    return { ...reported, launch: launch(reported.records.map(({ rev }) => rev)) }
  }

  const start = async (scene: Scene): Promise<void> => {
    const step = scene.document.steps[scene.document.current_step] ?? scene.document.steps[0]
    if (!step) return
    await tools.collect()
    await apply(scene, { type: 'start', at: at(), launch: (await look(scene, step)).launch })
  }

  /** The agent is over. What it wrote last may still be on its way into the store. */
  const judge = async (scene: Scene, step: Step, attempt: string, exit: RunExit): Promise<void> => {
    const until = clock.monotonic() + timing.summaryMs
    for (;;) {
      const { waiting } = await tools.collect()
      const { answer, records, launch: next } = await look(scene, step)
      if (answer) return apply(scene, { type: 'report', completion: answer, at: at(), launch: next })
      if (waiting > 0 && clock.monotonic() < until) {
        await scene.hold.bell.wait(timing.pollMs / 5, scene.hold.signal)
        scene.hold.signal.throwIfAborted()
        continue
      }
      const how = exit.message ?? (exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}`)
      const error = `The agent ${step.agent.name} ended (${exit.reason}: ${how}) ${unanswered(scene.document, step, records)}. Its output: runs/${attempt}/output.log`
      const fault = surroundings.includes(exit.reason) ? 'surroundings' : 'agent'
      logger.info('agent ended without an answer', { attempt, reason: exit.reason, fault })
      return apply(scene, {
        type: 'agent-ended',
        attempt,
        error,
        fault,
        failure: failureOf(scene.hold, error),
        at: at(),
        launch: next,
      })
    }
  }

  const failureOf = ({ task }: Hold, error: string) => ({
    error,
    task: task.id,
    attempts: task.attempts,
    recoveries: task.recoveries,
    epoch: task.claim.epoch,
  })

  const agentFor = (step: Step): AgentConfig | null => tools.config.agents.get(roleOf(step.agent.name)) ?? null

  /** One round on a running step: its answer, or its agent's start or end, or a wait for either. */
  const tend = async (scene: Scene, step: Step, attempt: string): Promise<void> => {
    const { hold } = scene
    const { answer, launch: next } = await look(scene, step)
    if (answer) return apply(scene, { type: 'report', completion: answer, at: at(), launch: next })
    const agent = agentFor(step)
    const failed = (error: string) =>
      apply(scene, {
        type: 'agent-ended',
        attempt,
        error,
        fault: 'agent',
        failure: failureOf(hold, error),
        at: at(),
        launch: next,
      })
    if (!agent) return failed(`There is no agent "${step.agent.name}" in ${tools.config.file}.`)
    if (!hold.runs.has(attempt)) {
      const started = await runStep(tools, scene, { step, attempt, agent })
      if (started.status === 'refused') return failed(started.error)
    }
    const exit = hold.runs.get(attempt)
    if (exit) return judge(scene, step, attempt, exit)
    await hold.bell.wait(timing.pollMs, hold.signal)
  }

  const runningStep = ({ steps }: WorkflowDocument): Step | null =>
    steps.find(({ status }) => status === 'running') ?? null

  /** While others paused the workflow its agent may finish; what it reports waits in the store. */
  const hasAgent = ({ hold }: Scene): boolean => [...hold.runs.values()].some((exit) => exit === null)

  const visit = async (scene: Scene): Promise<StepsEnd | null> => {
    const { hold, document } = scene
    const { state } = document
    if (hold.cancelRequested && (state === 'running' || state === 'pending' || state === 'paused')) {
      await apply(scene, { type: 'cancel', reason: 'cancelled by a person', at: at() })
      return null
    }
    if (state === 'completed') return { status: 'completed' }
    if (state === 'cancelled') return { status: 'cancelled', reason: 'the workflow is cancelled' }
    if (state === 'failed') {
      if (hold.sawRunning || !isTold(scene))
        return { status: 'failed', error: document.failure?.error ?? 'the workflow failed' }
      await start(scene)
      return null
    }
    if (state !== 'running' && state !== 'pending') {
      if (!hasAgent(scene)) return { status: 'paused', reason: document.paused_reason ?? `the workflow is ${state}` }
      await hold.bell.wait(timing.pollMs, hold.signal)
      return null
    }
    hold.sawRunning = true
    const step = runningStep(document)
    if (state === 'running' && step?.attempt_id) await tend(scene, step, step.attempt_id)
    else await start(scene)
    return null
  }

  /** Carries the workflow on until it ends or waits for a person. Everything it knows it reads from the stores. */
  return async (hold: Hold, project: ProjectConfig, issueNumber: string, workflowId: string): Promise<StepsEnd> => {
    for (;;) {
      hold.signal.throwIfAborted()
      const workflow = await stores.workflows.load(workflowId)
      if (!workflow) return { status: 'vanished' }
      const document = documentOf(workflow)
      hold.document = document
      const end = await visit({ hold, project, issueNumber, workflow, document })
      if (!end) continue
      await stopAgents(tools, hold, document, { lingerMs: end.status === 'completed' ? timing.lingerMs : 0 })
      return end
    }
  }
}
