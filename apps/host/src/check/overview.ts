import { type Config, storeNames } from '@nexus/core'
import { createGraph, type Exit, isMember, type LinkedWorkflow, tiers, type WorkflowTiers } from '@nexus/engine'
import type { AgentConfig, HostConfig, ProjectConfig } from '../config/host-config.ts'
import { findProgram, programOf } from './program.ts'

interface ArrowView {
  /** Id of a step, `end`, or the name of the other workflow before it: `release.build`. */
  to: string
  by: Exit['by']
  when: string | null
}

interface StepView {
  id: string
  /** Role; null where no agent runs it. */
  agent: string | null
  /** That a person approves before. */
  approval: boolean
  condition: string | null
  /** Steps that run at the same time. */
  parallel: readonly string[]
  /** The step that it runs beside; then it has no arrows of its own. */
  beside: string | null
  arrows: ArrowView[]
}

interface ListView {
  workflow: string
  steps: StepView[]
}

interface TierView {
  /** Tiers that run these lists. */
  tiers: string[]
  /** Its own first, then those of the workflows that it leads to. */
  lists: ListView[]
  /** That a person approves the result. */
  approval: boolean
}

interface ProjectView {
  key: string
  workspace: string
  concurrency: number | null
  issue_prefix: string
  tiers: Record<string, string>
  workflows: TierView[]
}

interface AgentView {
  role: string
  command: string | readonly string[]
  prompt: string
  program: string | null
  /** Where its program is; null where it is not found. */
  found: string | null
}

/** What a host with this configuration would work on; `check --json` prints it. */
export interface Overview {
  projects: ProjectView[]
  agents: AgentView[]
  concurrency: number
}

const listsOf = (workflow: LinkedWorkflow): ListView[] => {
  const graph = createGraph(workflow)
  return [workflow.definition, ...workflow.others].map((list) => ({
    workflow: list.name,
    steps: graph.places
      .filter((place) => place.list === list)
      .map((place): StepView => {
        const { step } = place
        const lead = list.steps.find((other) => other !== step && other.parallel.includes(step.id))
        const nameOf = (to: Exit['to']): string => {
          if (typeof to === 'string') return to
          return to.list === list ? to.step.id : `${to.list.name}.${to.step.id}`
        }
        const arrows = graph.exits(place).map(({ to, by, when }) => ({ to: nameOf(to), by, when }))
        return {
          id: step.id,
          agent: step.agentType,
          approval: step.requireApproval,
          condition: step.condition,
          parallel: step.parallel,
          beside: lead?.id ?? null,
          arrows: isMember(place) ? [] : arrows,
        }
      }),
  }))
}

/** Tiers that run the same lists are told together. */
const tiersOf = (workflow: WorkflowTiers): TierView[] => {
  const views = new Map<string, TierView>()
  for (const tier of tiers) {
    const linked = workflow[tier]
    if (!linked) continue
    const key = JSON.stringify(linked)
    const same = views.get(key)
    if (same) same.tiers.push(tier)
    else views.set(key, { tiers: [tier], lists: listsOf(linked), approval: linked.definition.requireMergeApproval })
  }
  return [...views.values()]
}

const projectOf = ({
  key,
  workspace,
  workflow,
  tiers: types,
  concurrency,
  issuePrefix,
}: ProjectConfig): ProjectView => ({
  key,
  workspace,
  concurrency,
  issue_prefix: issuePrefix,
  tiers: Object.fromEntries(types),
  workflows: tiersOf(workflow),
})

const agentOf = (role: string, agent: AgentConfig, workspaces: readonly string[]): AgentView => {
  const program = programOf(agent)
  const found = program === null ? null : findProgram(program, workspaces)
  return { role, command: agent.command, prompt: agent.prompt, program, found }
}

/** Looks for the agents' programs; starts none. */
export const overviewOf = ({ projects, agents, concurrency }: HostConfig): Overview => {
  const workspaces = [...new Set([...projects.values()].map(({ workspace }) => workspace))]
  return {
    projects: [...projects.values()].map(projectOf),
    agents: [...agents].map(([role, agent]) => agentOf(role, agent, workspaces)),
    concurrency,
  }
}

export interface StorageView {
  store: string
  backend: string
  decided_by: string
}

/** Where each store would be kept; no store is asked. */
export const storageOf = ({ routes }: Config): StorageView[] =>
  storeNames.map((store) => ({ store, backend: routes[store].backend, decided_by: routes[store].decidedBy }))
