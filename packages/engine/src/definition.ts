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
  readonly id: string
  readonly name: string
  /** The role that runs it; null for one that runs none: a router, or a fork that only has parallel steps. */
  readonly agentType: string | null
  readonly prompt: string
  /** A CEL expression; a step for which it is false is skipped. */
  readonly condition: string | null
  /** Id of the step that follows, or the name of a workflow; the next in the list unless given. Going back makes a loop. */
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
  /** Times that the workflow may come back to this step. */
  readonly maxIterations: number
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

/** What one workflow file defines: one list of steps for every tier, or one each. */
export type WorkflowTiers = { readonly [tier in Tier]?: WorkflowDefinition }

/** Unless a step says otherwise. */
export const defaultMaxIterations = 10

/** A role as it is compared: agents and definitions write `@Reviewer` and `reviewer` alike. */
export const roleOf = (agentType: string): string => agentType.trim().replace(/^@/, '').toLowerCase()
