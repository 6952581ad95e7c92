import { isJsonObject, type JsonValue } from '@nexus/core'
import { findLostRuns, launchedAgentsIn, stateKeys } from '@nexus/host/look'
import { type Check, counted, ok, some, warn } from './finding.ts'
import type { Sources } from './sources.ts'

/** What the backend that keeps the inbox tells of it. */
const inboxOf = async (sources: Sources) => {
  const isRemote = sources.routedTo('postgres').includes('inbox')
  const server = isRemote ? await sources.server() : null
  const files = isRemote ? null : await sources.contents()
  const contents = server?.contents ?? files
  if (!contents) return null
  const { overdue, deadLetters } = contents
  return {
    deadLetters,
    overdue: typeof overdue === 'number' ? overdue : overdue.length,
    foreignClaims: server?.contents?.foreignClaims ?? 0,
  }
}

const leases: Check = {
  name: 'leases',
  async look(sources) {
    const inbox = await inboxOf(sources)
    if (!inbox) return null
    if (inbox.overdue === 0) return ok('Every task that runs has a holder that renews its lease.')
    return warn({
      message: `${counted(inbox.overdue, 'task')} in processing ${inbox.overdue === 1 ? 'has' : 'have'} a lease that ran out.`,
      fix: 'Start a host: nexus-host run. It takes them back, and they run again. To look: nexus-admin inbox ls --status processing',
    })
  },
}

const foreignClaims: Check = {
  name: 'foreign-claims',
  async look(sources) {
    const inbox = await inboxOf(sources)
    if (!inbox) return null
    if (inbox.foreignClaims === 0) return ok('No task was taken without a lease.')
    return warn({
      message: `Another program took ${counted(inbox.foreignClaims, 'task')} and no lease says whether it still works on ${inbox.foreignClaims === 1 ? 'it' : 'them'}.`,
      fix: 'If it is gone: nexus-admin inbox requeue <id>. To look: nexus-admin inbox ls --status processing',
    })
  },
}

const deadLetters: Check = {
  name: 'dead-letters',
  async look(sources) {
    const inbox = await inboxOf(sources)
    if (!inbox) return null
    if (inbox.deadLetters === 0) return ok('No task failed for good.')
    return warn({
      message: `${counted(inbox.deadLetters, 'task')} failed for good.`,
      fix: 'See why: nexus-admin inbox ls --status failed. Then nexus-admin inbox requeue <id>, or nexus-admin inbox purge.',
    })
  },
}

/** Null where the backend that keeps the host state cannot be looked at; else the value, if there is any. */
const stateOf = async (sources: Sources, key: string): Promise<{ value: JsonValue } | null> => {
  const isRemote = sources.routedTo('postgres').includes('hostState')
  const contents = isRemote ? (await sources.server())?.contents : await sources.contents()
  return contents ? { value: contents.states.get(key) ?? null } : null
}

const launchedAgents: Check = {
  name: 'launched-agents',
  async look(sources) {
    const state = await stateOf(sources, stateKeys.launchedAgents)
    if (!state) return null
    const stale = launchedAgentsIn(state.value).filter(({ hostLife }) => hostLife === 'dead')
    if (stale.length === 0) return ok('Every agent that is entered as launched has a host that may live.')
    return warn({
      message: `${counted(stale.length, 'agent')} entered as launched ${stale.length === 1 ? 'has a host that is' : 'have hosts that are'} gone.`,
      detail: some(
        stale.map(({ project, issueNumber, step, host }) => `${project}/${issueNumber} step ${step} of ${host}`),
      ),
      fix: 'Start a host of this root: nexus-host run. It goes on with their tasks and takes the entries out.',
    })
  },
}

const fuses: Check = {
  name: 'fuses',
  async look(sources) {
    const state = await stateOf(sources, stateKeys.agentFuses)
    if (!state) return null
    const entries = isJsonObject(state.value) ? Object.entries(state.value) : []
    const held = entries.filter(([, entry]) => isJsonObject(entry) && Date.parse(String(entry['until'])) > Date.now())
    if (held.length === 0) return ok('No agent is left alone because it keeps failing.')
    return warn({
      message: `Left alone for a while because they failed again and again: ${held.map(([role]) => role).join(', ')}.`,
      detail: held.map(([role, entry]) => `${role}: ${JSON.stringify(entry)}`),
      fix: `See what it says: nexus-admin agent logs <id>. It is tried again by itself.`,
    })
  },
}

const runs: Check = {
  name: 'runs',
  async look(sources) {
    const survey = await sources.root()
    if (!survey || !(await sources.contents())) return null
    const lost = await findLostRuns(survey.path)
    if (lost.length === 0) return ok('Every run below the root has ended or is watched.')
    return warn({
      message: `${counted(lost.length, 'run')} ${lost.length === 1 ? 'has' : 'have'} lost the process that watched ${lost.length === 1 ? 'it' : 'them'}.`,
      detail: some(lost.map(({ attempt, project, issue, step }) => `${attempt}: ${project}/${issue} step ${step}`)),
      fix: 'Start a host of this root: nexus-host run. It ends what is left of them and tries their steps again.',
    })
  },
}

/** Tasks, agents, and those who should be at them. */
export const workChecks: readonly Check[] = [leases, foreignClaims, deadLetters, launchedAgents, fuses, runs]
