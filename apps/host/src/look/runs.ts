import { isJsonObject, type JsonValue } from '@nexus/core'
import { listRuns, type RunSummary, readRun } from '../runner/find-runs.ts'
import { ownerLife, type ProcessLife } from '../runner/process-identity.ts'

/** Runs that began and have no end, though nobody watches them any more: a host of this root settles them at its next look. */
export const findLostRuns = async (root: string): Promise<RunSummary[]> => {
  const lost: RunSummary[] = []
  for (const attempt of await listRuns(root)) {
    const run = await readRun(root, attempt)
    if (run?.status === 'lost') lost.push(run)
  }
  return lost
}

/** An agent at work as the host state has it. Texts are empty where the entry does not say. */
export interface LaunchedAgentView {
  attempt: string
  project: string
  issueNumber: string
  step: string
  agent: string
  host: string
  /** Null where it is no time. */
  startedAt: Date | null
  /** Whether its host still lives, as far as that can be told from here. */
  hostLife: ProcessLife
}

const textOf = (value: JsonValue | undefined): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : ''

const dateOf = (text: string): Date | null => (Number.isNaN(Date.parse(text)) ? null : new Date(text))

/** The entries of `launched_agents` that are ours; other programs write others there. */
export const launchedAgentsIn = (value: JsonValue): LaunchedAgentView[] => {
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([attempt, entry]) => {
    if (!isJsonObject(entry) || typeof entry['host'] !== 'string' || typeof entry['step_id'] !== 'string') return []
    return [
      {
        attempt,
        project: textOf(entry['project']),
        issueNumber: textOf(entry['issue_number']),
        step: entry['step_id'],
        agent: textOf(entry['agent_type']),
        host: entry['host'],
        startedAt: dateOf(textOf(entry['started_at'])),
        hostLife: ownerLife(entry['host']),
      },
    ]
  })
}
