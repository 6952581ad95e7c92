import { z } from 'zod'
import { backoffs, tiers } from './definition.ts'

const text = (what: string) =>
  z
    .string({ error: ({ input }) => (input == null ? `${what} is needed` : `${what} is text: put it in quotes`) })
    .trim()
    .min(1, `${what} is needed`)

const words = z.string('text is needed')
const flag = z.boolean('use true or false')
const aYear = 31_536_000
const seconds = z
  .number('a number of seconds is needed, such as 600')
  .positive('must be more than 0 seconds')
  .max(aYear, `at most a year (${aYear} seconds) is possible`)
const whole = (least: number) => {
  const needed = `a whole number from ${least} to 1000 is needed`
  return z.int(needed).min(least, needed).max(1000, needed)
}

/** Unquoted, YAML reads `true` as no text. */
const expression = z
  .union([z.boolean(), text('an expression')], 'an expression is needed, in quotes: "score > 3"')
  .transform(String)

const target = text('the id of a step or the name of a workflow')

/** In YAML a member without a value is null: it counts as not there. */
const withoutNulls = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
    : value

const route = {
  when: expression.optional(),
  // biome-ignore lint/suspicious/noThenProperty: the field's own word
  then: target.optional(),
  goto: target.optional(),
  default: z.union([z.literal(true), target], 'the id of a step or the name of a workflow is needed').optional(),
}

const retry = {
  max_retries: whole(0),
  backoff: z.enum(backoffs, `use ${backoffs.join(', ')}`).optional(),
  initial_delay: z.number('a number of seconds is needed').min(0, 'a number of seconds is needed').optional(),
}

const WrittenRetry = z.preprocess(
  (value) => (typeof value === 'number' ? { max_retries: value } : withoutNulls(value)),
  z.looseObject(retry, 'write a number of retries, or { max_retries: 2, backoff: exponential, initial_delay: 10 }'),
)

const ids = 'a list of step ids is needed'

const step = {
  id: text('an id'),
  name: text('a name').optional(),
  agent_type: text('an agent_type').optional(),
  agent: text('an agent').optional(),
  prompt: words.optional(),
  prompt_template: words.optional(),
  description: words.optional(),
  condition: expression.optional(),
  on_success: target.optional(),
  goto: target.optional(),
  routes: z
    .array(
      z.preprocess(withoutNulls, z.looseObject(route, 'write { when: …, then: … } or { default: … }')),
      'a list of routes is needed',
    )
    .optional(),
  default: target.optional(),
  parallel: z.array(text('the id of a step'), ids).optional(),
  final_step: flag.optional(),
  require_human_approval: flag.optional(),
  approval_gates: z.array(z.unknown(), 'a list is needed').optional(),
  timeout: seconds.optional(),
  timeout_seconds: seconds.optional(),
  retry: WrittenRetry.optional(),
  retry_policy: WrittenRetry.optional(),
  max_iterations: whole(1).optional(),
}
const WrittenStep = z.preprocess(withoutNulls, z.looseObject(step, 'write { id: …, agent_type: …, prompt: … }'))
export type WrittenStep = z.output<typeof WrittenStep>
export type WrittenRoute = NonNullable<WrittenStep['routes']>[number]

const steps = z
  .array(WrittenStep, 'a list of steps is needed')
  .min(1, 'at least one step is needed')
  .max(1000, 'at most 1000 steps are possible')
const list = z.looseObject({ steps }, 'write { steps: […] }')

const workflow = {
  apiVersion: z.union([z.string(), z.number()], 'text is needed').optional(),
  kind: z.literal('Workflow', 'only "Workflow" is known').optional(),
  metadata: z
    .looseObject(
      {
        name: z.unknown(),
        version: z.union([z.string(), z.number()], 'text is needed').optional(),
        description: words.optional(),
      },
      'write { name: …, version: … }',
    )
    .optional(),
  name: words.optional(),
  version: z.union([z.string(), z.number()], 'text is needed').optional(),
  description: words.optional(),
  timeout_seconds: seconds.optional(),
  monitoring: z
    .looseObject({ require_human_merge_approval: flag.optional() }, 'write { require_human_merge_approval: true }')
    .optional(),
  require_human_merge_approval: flag.optional(),
  workflow_types: z
    .record(z.string(), z.enum(tiers, `use ${tiers.join(', ')}`), 'write { bug: shortened }: a tier for a task type')
    .optional(),
  steps: steps.optional(),
  full_workflow: list.optional(),
  shortened_workflow: list.optional(),
  'fast-track_workflow': list.optional(),
  fast_track_workflow: list.optional(),
}
/** A workflow as it is written, in a file of its own or in `nexus.yaml`. */
export const WrittenWorkflow = z.preprocess(withoutNulls, z.looseObject(workflow, 'write { steps: […] }'))
export type WrittenWorkflow = z.output<typeof WrittenWorkflow>

/** Members that are read, and those that are kept or passed over without a word because everybody has them. */
export const members = {
  workflow: [...Object.keys(workflow), 'schema_version', 'inputs', 'outputs', 'tools', 'context_policy'],
  list: ['steps', 'name', 'description'],
  step: [...Object.keys(step), 'inputs', 'outputs', 'tools', 'context_policy'],
  route: [...Object.keys(route), 'name', 'description'],
  retry: Object.keys(retry),
  monitoring: ['require_human_merge_approval'],
} as const

/** Members of a step that are read; every other one is told to the agent. */
export const readStepMembers: ReadonlySet<string> = new Set(Object.keys(step))

/** Two names for one thing. */
export const aliases = [
  ['agent_type', 'agent'],
  ['on_success', 'goto'],
  ['timeout_seconds', 'timeout'],
  ['retry_policy', 'retry'],
] as const satisfies readonly (readonly [keyof WrittenStep & string, keyof WrittenStep & string])[]
