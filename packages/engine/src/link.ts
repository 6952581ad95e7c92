import { type LinkedWorkflow, nearestTier, type StepDefinition, type Tier, tiers } from './definition.ts'
import type { ReadWorkflow, WrittenList } from './read-definition.ts'

/** Workflows by name; null for one that is there and cannot be read. */
export type Workflows = ReadonlyMap<string, ReadWorkflow | null>

const listFor = ({ lists }: ReadWorkflow, tier: Tier): WrittenList | null => {
  const chosen = nearestTier(Object.fromEntries(lists), tier)
  return chosen === null ? null : (lists.get(chosen) ?? null)
}

const targetsOf = ({ routes, onSuccess }: StepDefinition): string[] => [
  ...routes.map(({ to }) => to),
  ...(onSuccess === null ? [] : [onSuccess]),
]

/** The list of a workflow and those of every workflow that it leads to, each once, its own first; by name. */
export const listsFrom = (workflows: Workflows, name: string, tier: Tier): Map<string, WrittenList> => {
  const lists = new Map<string, WrittenList>()
  const open = [name]
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    const workflow = workflows.get(next)
    const list = workflow && !lists.has(next) ? listFor(workflow, tier) : null
    if (!list) continue
    lists.set(next, list)
    const own = new Set(list.definition.steps.flatMap((step) => [step.id, step.name]))
    open.push(...list.definition.steps.flatMap(targetsOf).filter((target) => !own.has(target)))
  }
  return lists
}

/** The workflow as a task of this tier runs it; null where it has no list. */
const linkWorkflow = (workflows: Workflows, name: string, tier: Tier): LinkedWorkflow | null => {
  const [own, ...others] = [...listsFrom(workflows, name, tier).values()].map(({ definition }) => definition)
  return own ? { definition: own, others } : null
}

/** The workflow for every tier, each linked to the lists of that tier; empty where it has none. */
export const linkTiers = (workflows: Workflows, name: string): { [tier in Tier]?: LinkedWorkflow } => {
  const linked = tiers.map((tier) => [tier, linkWorkflow(workflows, name, tier)] as const)
  return Object.fromEntries(linked.filter(([, one]) => one !== null))
}
