import { attemptsOf, runningAttemptsOf, runsBeside, type Step, stepName, type WorkflowDocument } from '@nexus/engine'
import type { AgentConfig } from '../config/host-config.ts'
import type { HostTools } from '../host-tools.ts'
import { confirmHold } from '../loop/confirm.ts'
import type { Hold } from '../loop/hold.ts'
import type { RunState } from '../runner/index.ts'
import { unproven } from './completions-of.ts'
import { promptFor } from './prompt.ts'
import type { Scene } from './scene.ts'

/** How often a launch that started nothing is tried again before the step fails for it. */
const maxLaunchFailures = 3

export interface StepRun {
  step: Step
  attempt: string
  agent: AgentConfig
  /** Whether it is known that this attempt did not run yet where it has left nothing here. */
  mayStart: boolean
}

const stopWaitMs = 30_000

/** Lets agents that have reported finish, then stops them: the next one must not meet them in the workspace. */
export const stopAgents = async (
  { runner }: Pick<HostTools, 'runner'>,
  hold: Hold,
  document: WorkflowDocument,
  { lingerMs, except = [] }: { lingerMs: number; except?: readonly string[] },
): Promise<void> => {
  for (const attempt of attemptsOf(document)) {
    if (except.includes(attempt) || hold.runs.get(attempt)) continue
    const state = await runner.observe(attempt)
    if (state.status === 'absent' || state.status === 'ended') continue
    const waitMs = state.status === 'running' ? lingerMs : 0
    const ended = waitMs > 0 && (await endsWithin(runner, attempt, waitMs, hold.signal))
    if (ended) continue
    await runner.stop(attempt)
    await endsWithin(runner, attempt, stopWaitMs, hold.signal)
  }
}

const endsWithin = async (
  runner: HostTools['runner'],
  attempt: string,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> => {
  const timeout = AbortSignal.timeout(ms)
  try {
    await runner.waitForEnd(attempt, AbortSignal.any([signal, timeout]))
    return true
  } catch {
    signal.throwIfAborted()
    if (timeout.aborted) return false
    throw new Error(`attempt ${attempt} cannot be watched any longer`)
  }
}

const variables = (
  tools: HostTools,
  { project, issueNumber, workflow, document }: Scene,
  { step, attempt }: StepRun,
) => {
  const { url, token } = tools.reporting(attempt)
  return {
    NEXUS_ATTEMPT: attempt,
    NEXUS_COMPLETION_FILE: tools.summaryFile({
      project: project.key,
      issueNumber,
      attempt,
      isBeside: runsBeside(document),
    }),
    NEXUS_COMPLETION_URL: url,
    NEXUS_COMPLETION_TOKEN: token,
    NEXUS_PROJECT: project.key,
    NEXUS_ISSUE: issueNumber,
    NEXUS_STEP: stepName(step),
    NEXUS_WORKFLOW: workflow.id,
    NEXUS_AGENT: step.agent.name,
  }
}

/** For others to read: whatever becomes of it, the agent is at work. */
const enter = async (tools: HostTools, scene: Scene, { step, attempt }: StepRun, state: RunState): Promise<void> => {
  const { project, issueNumber, workflow, document } = scene
  const entry = {
    attempt,
    issueNumber,
    project: project.key,
    workflowId: workflow.id,
    stepId: stepName(step),
    agentType: step.agent.name,
    pid: state.status === 'running' ? state.pid : null,
    startedAt: step.launched_at ?? '',
    host: tools.worker,
  }
  const running = runningAttemptsOf(document)
  const over = attemptsOf(document).filter((id) => !running.includes(id))
  try {
    await tools.records.enterAgent(entry, over)
  } catch (error) {
    tools.logger.warn('the agent is missing in the host state', { attempt, error: String(error) })
  }
}

const launch = async (tools: HostTools, scene: Scene, run: StepRun): Promise<RunState> => {
  const { project, issueNumber, document, hold } = scene
  const { step, attempt, agent } = run
  const given = variables(tools, scene, run)
  const summaryFile = given.NEXUS_COMPLETION_FILE
  const state = await tools.runner.launch({
    attempt,
    command: agent.command,
    cwd: project.workspace,
    env: { ...agent.variables, ...tools.environment(given, agent.env) },
    prompt: promptFor({ document, step, markdown: hold.task.markdown, issueNumber, summaryFile }),
    promptForm: agent.prompt,
    timeoutMs: step.timeout === null ? agent.timeoutMs : step.timeout * 1000,
  })
  const about = { project: project.key, issue: issueNumber, step: stepName(step), agent: step.agent.name, attempt }
  tools.logger.info('step started', about)
  if (step.retry_count + step.interruptions > 0) tools.telemetry.stepRetried()
  return state
}

/** `followed`: it runs or has run. `later`: it could not be started, and is tried again. */
export type StepStart =
  | { status: 'followed' | 'later' }
  | { status: 'refused'; error: string }
  /** Not now; `waitMs` says for how long, 0: this host starts no agent any more. */
  | { status: 'held-back'; waitMs: number; reason: string }

const whyNotNow = ({ drain, fuse }: HostTools, step: Step): StepStart | null => {
  if (drain.isRequested) return { status: 'held-back', waitMs: 0, reason: 'the host is draining' }
  const waitMs = fuse.waitMs(step.agent.name)
  if (waitMs === null) return null
  return { status: 'held-back', waitMs, reason: `agents of ${step.agent.name} fail again and again` }
}

/**
 * Makes sure that this attempt's agent runs or has run, and follows it. The attempt is saved already: whatever dies in
 * here, the next look finds a run that was never started, one to adopt, or one that ended.
 */
export const runStep = async (tools: HostTools, scene: Scene, run: StepRun): Promise<StepStart> => {
  const { hold, document } = scene
  const { attempt, step } = run
  const { runner, logger, timing } = tools
  let state = await runner.observe(attempt)
  if (state.status === 'absent' || state.status === 'prepared') {
    if (!run.mayStart) throw unproven()
    const heldBack = whyNotNow(tools, step)
    if (heldBack) return heldBack
    await stopAgents(tools, hold, document, { lingerMs: timing.lingerMs, except: runningAttemptsOf(document) })
    await confirmHold(tools, hold)
    try {
      state = await tools.quiet.start(() => launch(tools, scene, run), hold.signal)
    } catch (error) {
      hold.launchFailures += 1
      logger.error('agent not started', { attempt, error: String(error) })
      if (hold.launchFailures < maxLaunchFailures) return { status: 'later' }
      await runner.stop(attempt)
      return { status: 'refused', error: `The agent ${run.step.agent.name} could not be started: ${String(error)}` }
    }
  } else logger.info('agent adopted', { attempt, state: state.status })
  hold.launchFailures = 0
  hold.runs.set(attempt, state.status === 'ended' ? state.exit : null)
  if (state.status !== 'ended') runner.follow(attempt)
  await enter(tools, scene, run, state)
  return { status: 'followed' }
}
