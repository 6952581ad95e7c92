import {
  type HostStateStore,
  isJsonObject,
  isStoreError,
  type JsonObject,
  type Logger,
  type StatePatch,
} from '@nexus/core'
import { trackedIssuesKey, trackedMember } from '@nexus/engine'
import type { Blow } from './fuse.ts'
import { quietKeys } from './quiet-keys.ts'
import { isReached } from './reached.ts'

/**
 * Keys of the host state. Ours are `issue_counters` (project → the last number given out), `host_control` (what all hosts
 * are asked to do), `quiet_hosts` (host → the request to begin nothing new that it has answered) and `agent_fuses` (role → why its
 * agents are not started now).
 */
export const stateKeys = {
  trackedIssues: trackedIssuesKey,
  launchedAgents: 'launched_agents',
  issueCounters: 'issue_counters',
  ...quietKeys,
  agentFuses: 'agent_fuses',
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
  /** Enters the agent and takes out those that are over: one change. No agent waits for it. */
  enterAgent(agent: LaunchedAgent, over: readonly string[]): Promise<void>
  removeAgents(over: readonly string[]): Promise<void>
  /** Shows why agents of a role are not started; null: they are. No agent waits for it. */
  showFuse(role: string, blow: Blow | null): Promise<void>
}

export interface HostRecordsOptions {
  hostState: HostStateStore
  logger: Logger
  now(): number
  /** Whether a backend is down. */
  inOutage(): Promise<boolean>
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

export const createHostRecords = ({ hostState, logger, now, inOutage }: HostRecordsOptions): HostRecords => {
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

  const patch = async (key: string, change: StatePatch): Promise<void> => {
    const result = await hostState.patch(key, change)
    if (result.status === 'not-object') refuse(key)
  }

  const entryOf = ({ project, description }: TrackedIssue, status: string): JsonObject => ({
    project,
    description,
    created_at: new Date(now()).toISOString(),
    status,
  })

  const register = async (issue: TrackedIssue, status: string): Promise<void> => {
    let foreign = false
    await hostState.update(stateKeys.trackedIssues, (value) => {
      foreign = value !== null && !isJsonObject(value)
      if (foreign) return undefined
      const tracked = (value ?? {}) as JsonObject
      return { ...tracked, [trackedMember(tracked, issue)]: entryOf(issue, status) }
    })
    if (foreign) refuse(stateKeys.trackedIssues)
  }

  const track = async (issue: TrackedIssue, status: string): Promise<void> => {
    const tracked = (await hostState.load(stateKeys.trackedIssues))?.value ?? {}
    if (!isJsonObject(tracked)) return refuse(stateKeys.trackedIssues)
    const member = trackedMember(tracked, issue)
    const present = tracked[member]
    if (isJsonObject(present)) {
      if (present['status'] === status) return
      return patch(stateKeys.trackedIssues, { entries: { [member]: { ...present, status } } })
    }
    try {
      await register(issue, status)
    } catch (error) {
      if (!isStoreError(error, 'unavailable') || !(await inOutage())) throw error
      // Others who gave the member to another issue meanwhile make it a conflict, of which both sides are kept.
      await patch(stateKeys.trackedIssues, { entries: { [member]: entryOf(issue, status) } })
    }
  }

  const replaceAgents = (entries: JsonObject, over: readonly string[]): Promise<void> =>
    unlessCorrupt(stateKeys.launchedAgents, () => patch(stateKeys.launchedAgents, { entries, remove: [...over] }))

  return {
    trackIssue: (issue, status) => unlessCorrupt(stateKeys.trackedIssues, () => track(issue, status)),
    async enterAgent(agent, over) {
      await isReached(replaceAgents({ [agent.attempt]: agentEntry(agent) }, over))
    },
    async showFuse(role, blow) {
      const entry = blow && { failures: blow.failures, error: blow.error, until: blow.until.toISOString() }
      const change = entry ? { entries: { [role]: entry } } : { remove: [role] }
      await isReached(unlessCorrupt(stateKeys.agentFuses, () => patch(stateKeys.agentFuses, change)))
    },
    async removeAgents(over) {
      if (over.length > 0) await replaceAgents({}, over)
    },
  }
}
