/** Which of a step's successors a report chooses. */
export interface Route {
  /** A CEL expression over the report; null for the default. */
  readonly when: string | null
  /** The id of a step of the same list, or else the name of a workflow, which begins with its first step. */
  readonly to: string
}

export const backoffs = ['exponential', 'linear', 'constant'] as const

/** How often a step whose agent failed is run again before its task fails for good. */
export interface RetryPolicy {
  /** Runs after the first one. */
  readonly maxRetries: number
  readonly backoff: (typeof backoffs)[number]
  /** Before the second run, in milliseconds. */
  readonly initialDelayMs: number
}

export interface StepDefinition {
  /** No other step of the list has it. */
  readonly id: string
  readonly name: string
  /** The role that runs it; null for one that runs none: a router, or a fork that only has parallel steps. */
  readonly agentType: string | null
  readonly prompt: string
  /** A CEL expression; a step for which it is false is skipped: the next in the list follows, wherever the step itself leads. */
  readonly condition: string | null
  /** What follows, as in a route; the next in the list unless given. Going back makes a loop. */
  readonly onSuccess: string | null
  /** The first that fits decides, before `onSuccess`. */
  readonly routes: readonly Route[]
  /** Ids of steps that run at the same time. What follows waits for all of them. */
  readonly parallel: readonly string[]
  readonly finalStep: boolean
  /** A person must approve before its agent starts. */
  readonly requireApproval: boolean
  readonly timeoutMs: number | null
  /** Null: the task's own retries, which begin with the failed step. */
  readonly retry: RetryPolicy | null
  /** Times that the workflow may come back to this step; null: `defaultMaxIterations`. */
  readonly maxIterations: number | null
  /** What the definition says besides (`inputs`, `outputs`, `tools`, `context_policy`, …): kept, and told to the agent. */
  readonly context: Readonly<Record<string, unknown>>
}

export interface WorkflowDefinition {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly steps: readonly StepDefinition[]
  /** From its first start to its end; null: as long as it takes. */
  readonly timeoutMs: number | null
  /** A person must approve after the last step. */
  readonly requireMergeApproval: boolean
}

export const tiers = ['full', 'shortened', 'fast-track'] as const
export type Tier = (typeof tiers)[number]

/** A list of steps and those of the workflows that it leads to, directly or not: all that a task needs. */
export interface LinkedWorkflow {
  readonly definition: WorkflowDefinition
  /** Each with another name. */
  readonly others: readonly WorkflowDefinition[]
}

/** What a task of each tier runs. */
export type WorkflowTiers = { readonly [tier in Tier]?: LinkedWorkflow }

/** A tier that is not there is served by the nearest one; of two as near, by the one with more steps in it. */
const nearest = {
  full: ['full', 'shortened', 'fast-track'],
  shortened: ['shortened', 'full', 'fast-track'],
  'fast-track': ['fast-track', 'shortened', 'full'],
} as const satisfies Record<Tier, readonly Tier[]>

/** The tier whose steps a task of this tier gets; null where there are none at all. */
export const nearestTier = (workflow: { readonly [tier in Tier]?: unknown }, tier: Tier): Tier | null =>
  nearest[tier].find((one) => workflow[one] !== undefined) ?? null

/** The tier of a task that names none, by its type (`**Type:**`); a project may say otherwise. */
export const tierOfType = (type: string): Tier => {
  const word = type.trim().toLowerCase()
  if (word === 'hotfix' || word === 'chore' || word.endsWith('-simple')) return 'fast-track'
  return word === 'bug' || word === 'improvement' ? 'shortened' : 'full'
}

/** Times that a workflow may come back to a step that says nothing of it. */
export const defaultMaxIterations = 10

/** A role as it is compared: agents and definitions write `@Reviewer` and `reviewer` alike. */
export const roleOf = (agentType: string): string => agentType.trim().replace(/^@/, '').toLowerCase()

const endWords: readonly string[] = ['', 'none', 'done', 'complete', 'finish', 'end']

/** Whether this word, where a step or a role could stand, means that nothing follows. */
export const isEndWord = (word: string): boolean => endWords.includes(word.trim().toLowerCase())
