import { jsonProblem } from '@nexus/core'
import {
  type RetryPolicy,
  type Route,
  roleOf,
  type StepDefinition,
  type Tier,
  type WorkflowDefinition,
} from './definition.ts'
import { type Path, type Problem, problem } from './problem.ts'
import { listMembers, unknownMembers } from './unknown-members.ts'
import { aliases, readStepMembers, type WrittenRoute, type WrittenStep, WrittenWorkflow } from './written.ts'

/** One list of steps, and where it stands in what was written. */
export interface WrittenList {
  readonly path: Path
  /** Not linked: targets are as they were written. */
  readonly definition: WorkflowDefinition
}

export interface ReadWorkflow {
  readonly name: string
  readonly lists: ReadonlyMap<Tier, WrittenList>
  /** Tiers by task type, where the workflow itself names them (`workflow_types`). */
  readonly types: ReadonlyMap<string, Tier>
}

interface WorkflowReading {
  /** Null where it cannot be read; then there is an error among the problems. */
  workflow: ReadWorkflow | null
  problems: Problem[]
}

/** Before the first retry, in milliseconds, unless the policy says otherwise. */
const defaultDelayMs = 10_000

const msOf = (seconds: number | undefined): number | null => (seconds === undefined ? null : seconds * 1000)

const retryOf = ({ retry, retry_policy: policy = retry }: WrittenStep): RetryPolicy | null =>
  policy === undefined
    ? null
    : {
        maxRetries: policy.max_retries,
        backoff: policy.backoff ?? 'exponential',
        initialDelayMs: msOf(policy.initial_delay) ?? defaultDelayMs,
      }

const targetOf = ({ then, goto = then, default: fallback }: WrittenRoute): string | undefined =>
  typeof fallback === 'string' ? fallback : goto

const routesOf = (step: WrittenStep): Route[] => [
  ...(step.routes ?? []).map((route) => ({ when: route.when ?? null, to: targetOf(route) ?? '' })),
  ...(step.default === undefined ? [] : [{ when: null, to: step.default }]),
]

/** What the agent is told besides its prompt. */
const contextOf = (step: WrittenStep): Record<string, unknown> => {
  const { prompt, prompt_template: template, description } = step
  const isPrompt = prompt === undefined && template === undefined
  const others = Object.entries(step).filter(([name]) => !readStepMembers.has(name))
  return { ...(description !== undefined && !isPrompt && { description }), ...Object.fromEntries(others) }
}

const stepOf = (step: WrittenStep): StepDefinition => {
  const role = roleOf(step.agent_type ?? step.agent ?? '')
  return {
    id: step.id,
    name: step.name ?? step.id,
    agentType: role === '' || role === 'router' ? null : role,
    prompt: step.prompt ?? step.prompt_template ?? step.description ?? '',
    condition: step.condition ?? null,
    onSuccess: step.on_success ?? step.goto ?? null,
    routes: routesOf(step),
    parallel: step.parallel ?? [],
    finalStep: step.final_step ?? false,
    requireApproval: step.require_human_approval === true || (step.approval_gates ?? []).length > 0,
    timeoutMs: msOf(step.timeout_seconds ?? step.timeout),
    retry: retryOf(step),
    maxIterations: step.max_iterations ?? null,
    context: contextOf(step),
  }
}

const routeProblems = (route: WrittenRoute, path: Path): Problem[] => {
  const { when, then, goto, default: fallback } = route
  const targets = [then, goto, typeof fallback === 'string' ? fallback : undefined].filter((one) => one !== undefined)
  if (when === undefined && fallback === undefined)
    return [problem('error', path, 'when is needed: an expression. Or write { default: <step id> }.')]
  if (when !== undefined && fallback !== undefined)
    return [problem('error', [...path, 'default'], 'a default has no "when". Make two routes of it.')]
  if (targets.length === 0)
    return [problem('error', path, '"then" is needed: the id of a step or the name of a workflow.')]
  return targets.length > 1
    ? [
        problem(
          'error',
          path,
          `one target is needed, not ${targets.length}: "then", "goto" and "default" mean the same.`,
        ),
      ]
    : []
}

const stepProblems = (step: WrittenStep, path: Path): Problem[] => {
  const twice = aliases
    .filter(([one, other]) => step[one] !== undefined && step[other] !== undefined)
    .map(([one, other]) =>
      problem('error', [...path, other], `"${one}" and "${other}" mean the same. Remove one of the two.`),
    )
  const routes = (step.routes ?? []).flatMap((route, index) => routeProblems(route, [...path, 'routes', index]))
  const { agentType, parallel, routes: ways, requireApproval } = stepOf(step)
  const isRouter = roleOf(step.agent_type ?? step.agent ?? '') === 'router'
  if (agentType !== null) return [...twice, ...routes]
  const idle = !isRouter && parallel.length === 0 && ways.length === 0
  const aimless = isRouter && ways.length === 0
  return [
    ...twice,
    ...routes,
    ...(idle
      ? [problem('error', [...path, 'agent_type'], 'an agent_type is needed: which of the agents runs this step.')]
      : []),
    ...(aimless ? [problem('error', path, 'a router needs routes: [{ when: …, then: … }, { default: … }].')] : []),
    ...(requireApproval
      ? [
          problem(
            'error',
            path,
            'no agent runs this step, so there is nothing to approve. Put the approval on the next step.',
          ),
        ]
      : []),
  ]
}

const listProblems = (steps: readonly WrittenStep[], path: Path): Problem[] => {
  const ids = steps.map(({ id }) => id)
  return steps.flatMap((step, index) => [
    ...(ids.indexOf(step.id) === index
      ? []
      : [problem('error', [...path, index, 'id'], `another step is called "${step.id}" already.`)]),
    ...stepProblems(step, [...path, index]),
  ])
}

/** The lists by tier, and what is wrong with how they are put. */
const listsOf = (written: WrittenWorkflow) => {
  const tiered = listMembers.flatMap(([tier, name]) => {
    const list = written[name]
    return list ? [{ tier, name, path: [name, 'steps'] as Path, steps: list.steps }] : []
  })
  const flat = written.steps
    ? [{ tier: 'full' as const, name: 'steps', path: ['steps'] as Path, steps: written.steps }]
    : []
  const found = [...flat, ...tiered]
  const [first, second] = [
    found[0],
    found.find(({ tier }, index) => found.findIndex((one) => one.tier === tier) < index),
  ]
  const problems = [
    ...(first
      ? []
      : [problem('error', [], 'steps: […] is needed, or a list for each tier: full_workflow: { steps: […] }')]),
    ...(flat.length > 0 && tiered[0]
      ? [problem('error', [tiered[0].name], '"steps" is the list of every tier. Remove it, or the lists of the tiers.')]
      : []),
    ...(second && flat.length === 0
      ? [problem('error', [second.name], 'the fast-track tier is there already, in its other spelling. Remove one.')]
      : []),
  ]
  return { found, problems }
}

const gateProblems = ({ monitoring }: WrittenWorkflow): Problem[] => {
  const gates = monitoring?.['human_approval_gates']
  return Array.isArray(gates) && gates.length > 0
    ? [
        problem(
          'warning',
          ['monitoring', 'human_approval_gates'],
          'it means nothing to the host. Write "require_human_approval: true" in the step that a person approves.',
        ),
      ]
    : []
}

const definitionOf = (name: string, written: WrittenWorkflow, steps: readonly WrittenStep[]): WorkflowDefinition => ({
  name,
  version: String(written.metadata?.version ?? written.version ?? '1.0'),
  description: written.metadata?.description ?? written.description ?? '',
  timeoutMs: msOf(written.timeout_seconds),
  requireMergeApproval:
    written.monitoring?.require_human_merge_approval ?? written.require_human_merge_approval ?? false,
  steps: steps.map(stepOf),
})

/** A misspelt member explains the missing one. */
const explained = (misspelt: readonly Problem[]) => {
  const places = new Set(
    misspelt.map(({ path, message }) => {
      const member = /Did you mean "(.+)"\?/.exec(message)?.[1]
      return JSON.stringify(member === undefined ? null : [...path.slice(0, -1), member])
    }),
  )
  return ({ path }: Problem): boolean => !places.has(JSON.stringify(path))
}

/** Reads a workflow in the format of the field. Every problem is told, not the first alone. */
export const readWorkflow = (name: string, written: unknown): WorkflowReading => {
  // A running task keeps its workflow in a JSON document. In YAML a value may also hold itself, or be infinite.
  const unkeepable = jsonProblem(written)
  if (unkeepable !== null)
    return { workflow: null, problems: [problem('error', [], `the workflow ${unkeepable}. Write plain values.`)] }
  const unknown = unknownMembers(written)
  const parsed = WrittenWorkflow.safeParse(written)
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => problem('error', path, `${message}.`))
    return { workflow: null, problems: [...unknown, ...problems.filter(explained(unknown))] }
  }
  const { found, problems } = listsOf(parsed.data)
  const lists = found.map(({ tier, path, steps }): [Tier, WrittenList] => [
    tier,
    { path, definition: definitionOf(name, parsed.data, steps) },
  ])
  const within = found.flatMap(({ path, steps }) => listProblems(steps, path))
  const types = Object.entries(parsed.data.workflow_types ?? {})
  const all = [...problems, ...gateProblems(parsed.data), ...within].filter(explained(unknown))
  return {
    workflow: { name, lists: new Map(lists), types: new Map(types.map(([type, tier]) => [type.toLowerCase(), tier])) },
    problems: [...unknown, ...all],
  }
}
