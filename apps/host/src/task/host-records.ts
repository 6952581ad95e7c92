import { type HostStateStore, isJsonObject, isStoreError, type JsonObject, type Logger } from '@nexus/core'

/** Keys of the host state. `issue_counters` is ours: project → the last number given out. */
export const stateKeys = {
  trackedIssues: 'tracked_issues',
  launchedAgents: 'launched_agents',
  issueCounters: 'issue_counters',
} as const

interface TrackedIssue {
  project: string
  issueNumber: string
  description: string
}

interface LaunchedAgent {
  attempt: string
  issueNumber: string
  project: string
  workflowId: string
  stepId: string
  agentType: string
  pid: number | null
  startedAt: string
  host: string
}

/** What other programs read about our work in the host state: issues tracked, agents at work. */
export interface HostRecords {
  /** `active`, `paused`, `completed`, `failed` or `cancelled`. */
  trackIssue(issue: TrackedIssue, status: string): Promise<void>
  /** Enters the agent, if there is one, and takes out those that are over: one change. */
  replaceAgents(agent: LaunchedAgent | null, over: readonly string[]): Promise<void>
}

/** The member of an issue: its number, unless another project has that; then `project/issue`. */
const memberFor = (tracked: JsonObject, { project, issueNumber }: TrackedIssue): string => {
  const held = tracked[issueNumber]
  const isFree = held === undefined || (isJsonObject(held) && held['project'] === project)
  return isFree ? issueNumber : `${project}/${issueNumber}`
}

const agentEntry = (agent: LaunchedAgent): JsonObject => ({
  issue_number: agent.issueNumber,
  project: agent.project,
  workflow_id: agent.workflowId,
  step_id: agent.stepId,
  agent_type: agent.agentType,
  pid: agent.pid,
  started_at: agent.startedAt,
  host: agent.host,
})

export const createHostRecords = (hostState: HostStateStore, logger: Logger, now: () => number): HostRecords => {
  // What another program made of the key is its own: work goes on without the entry.
  const refused = new Set<string>()
  const refuse = (key: string): void => {
    if (!refused.has(key)) logger.warn('host state is not a readable object and stays as it is', { key })
    refused.add(key)
  }

  const unlessCorrupt = async (key: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write()
    } catch (error) {
      if (!isStoreError(error, 'corrupt')) throw error
      refuse(key)
    }
  }

  const register = async (issue: TrackedIssue, status: string): Promise<void> => {
    let foreign = false
    await hostState.update(stateKeys.trackedIssues, (value) => {
      foreign = value !== null && !isJsonObject(value)
      if (foreign) return undefined
      const tracked = (value ?? {}) as JsonObject
      const entry = {
        project: issue.project,
        description: issue.description,
        created_at: new Date(now()).toISOString(),
        status,
      }
      return { ...tracked, [memberFor(tracked, issue)]: entry }
    })
    if (foreign) refuse(stateKeys.trackedIssues)
  }

  const track = async (issue: TrackedIssue, status: string): Promise<void> => {
    const tracked = (await hostState.load(stateKeys.trackedIssues))?.value
    const member = isJsonObject(tracked) ? memberFor(tracked, issue) : null
    const present = isJsonObject(tracked) && member !== null ? tracked[member] : undefined
    if (member === null || !isJsonObject(present)) return register(issue, status)
    if (present['status'] === status) return
    await hostState.patch(stateKeys.trackedIssues, { entries: { [member]: { ...present, status } } })
  }

  const replace = async (agent: LaunchedAgent | null, over: readonly string[]): Promise<void> => {
    if (!agent && over.length === 0) return
    const entries = agent ? { [agent.attempt]: agentEntry(agent) } : {}
    const result = await hostState.patch(stateKeys.launchedAgents, { entries, remove: [...over] })
    if (result.status === 'not-object') refuse(stateKeys.launchedAgents)
  }

  return {
    trackIssue: (issue, status) => unlessCorrupt(stateKeys.trackedIssues, () => track(issue, status)),
    replaceAgents: (agent, over) => unlessCorrupt(stateKeys.launchedAgents, () => replace(agent, over)),
  }
}
