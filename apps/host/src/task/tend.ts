import { type EngineEvent, type Launch, roleOf, type Step } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import type { RunExit } from '../runner/index.ts'
import { apply, look, timeOf } from './apply.ts'
import { unanswered, unproven } from './completions-of.ts'
import { runStep } from './run-step.ts'
import type { Scene } from './scene.ts'

/** Ends that say nothing about the agent: its supervisor or host was gone. */
const surroundings: readonly string[] = ['supervisor-lost', 'lease-expired', 'stopped']

interface Ended {
  attempt: string
  error: string
  fault: 'agent' | 'surroundings'
  launch: Launch
}

const endedEvent = (tools: HostTools, { hold: { task } }: Scene, ended: Ended): EngineEvent => ({
  type: 'agent-ended',
  at: timeOf(tools),
  ...ended,
  failure: {
    error: ended.error,
    task: task.id,
    attempts: task.attempts,
    recoveries: task.recoveries,
    epoch: task.claim.epoch,
  },
})

/** The agent is over. What it wrote last may still be on its way into the store. */
const judge = async (tools: HostTools, scene: Scene, step: Step, attempt: string, exit: RunExit): Promise<void> => {
  const { clock, timing, logger } = tools
  const { bell, signal } = scene.hold
  const until = clock.monotonic() + timing.summaryMs
  for (;;) {
    const { waiting } = await tools.collect()
    const { answer, records, launch, isPartial } = await look(tools, scene, step)
    if (answer) return apply(tools, scene, { type: 'report', completion: answer, at: timeOf(tools), launch })
    if (isPartial) throw unproven()
    if (waiting === 0 || clock.monotonic() >= until) {
      const hint = exit.code === 127 ? ", the shell's word for a command not found" : ''
      const how = exit.message ?? (exit.signal ? `by ${exit.signal}` : `with exit code ${exit.code}${hint}`)
      const ending = `The agent ${step.agent.name} ended (${exit.reason}: ${how})`
      const unreadable = tools.whyUnreadable(tools.summaryFile(scene.project.key, scene.issueNumber))
      const error = `${ending} ${unanswered(scene.document, step, records, unreadable)}. Its output: runs/${attempt}/output.log`
      const fault = surroundings.includes(exit.reason) ? 'surroundings' : 'agent'
      logger.info('agent ended without an answer', { attempt, reason: exit.reason, fault })
      return apply(tools, scene, endedEvent(tools, scene, { attempt, error, fault, launch }))
    }
    await bell.wait(timing.pollMs / 5, signal)
    signal.throwIfAborted()
  }
}

/** One round on a running step: its answer, or its agent's start or end, or a wait for either. */
export const tend = async (tools: HostTools, scene: Scene, step: Step, attempt: string): Promise<void> => {
  const { hold } = scene
  const { answer, launch, isPartial } = await look(tools, scene, step)
  if (answer) return apply(tools, scene, { type: 'report', completion: answer, at: timeOf(tools), launch })
  if (step.baseline_partial && !isPartial) return apply(tools, scene, { type: 'baseline', at: timeOf(tools), launch })
  // Nobody but this hold knows of a fresh attempt yet: it cannot have run anywhere.
  const mayStart = !isPartial || hold.fresh.has(attempt)
  const fail = (error: string) => {
    if (!mayStart) throw unproven()
    return apply(tools, scene, endedEvent(tools, scene, { attempt, error, fault: 'agent', launch }))
  }
  const agent = tools.config.agents.get(roleOf(step.agent.name))
  if (!agent) return fail(`There is no agent "${step.agent.name}" in ${tools.config.file}.`)
  if (!hold.runs.has(attempt)) {
    const started = await runStep(tools, scene, { step, attempt, agent, mayStart })
    if (started.status === 'refused') return fail(started.error)
  }
  const exit = hold.runs.get(attempt)
  if (exit) return judge(tools, scene, step, attempt, exit)
  await hold.bell.wait(tools.timing.pollMs, hold.signal)
}
