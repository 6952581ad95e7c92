import { type Backend, eachItem, type InboxTask, isStoreError, type JsonValue } from '@nexus/core'
import type { LaunchedAgentView } from '@nexus/host/look'
import { z } from 'zod'
import type { Line } from '../cli/line.ts'
import { CountShape, envelope } from '../cli/output.ts'
import { table } from '../cli/table.ts'

/** What `top --json` prints. */
export const Top = envelope({
  inbox: z.record(z.string(), CountShape).nullable().describe('null while the store cannot be reached'),
  oldest_due: z.iso
    .datetime()
    .nullable()
    .describe('since when the pending task has been due that has been due longest'),
  projects: z
    .array(z.object({ project: z.string(), pending: z.int(), processing: z.int() }))
    .describe('of the first tasks of the queue'),
  counted: z.boolean().describe('whether projects counts every task'),
  agents: z.array(
    z.object({
      attempt: z.string(),
      project: z.string(),
      issue: z.string(),
      step: z.string(),
      agent: z.string(),
      started_at: z.iso.datetime().nullable(),
      host: z.string(),
      host_life: z.enum(['alive', 'dead', 'unknown']).describe('as far as that can be told from here'),
    }),
  ),
  hosts: z.array(z.object({ host: z.string(), tasks: z.int() })).describe('those that hold tasks'),
})
export type Top = z.output<typeof Top>

/** So many tasks are told apart by project; a longer queue is told as a whole. */
const mostTasks = 2_000

const orNull = async <T>(answer: Promise<T>): Promise<T | null> => {
  try {
    return await answer
  } catch (error) {
    if (isStoreError(error, 'unavailable') || isStoreError(error, 'corrupt')) return null
    throw error
  }
}

const tasksOf = async ({ inbox }: Pick<Backend, 'inbox'>, status: string): Promise<InboxTask[]> => {
  const tasks: InboxTask[] = []
  for await (const task of eachItem((page) => inbox.list({ ...page, status }))) {
    if (tasks.push(task) === mostTasks) break
  }
  return tasks
}

const grouped = <T>(items: readonly T[], key: (item: T) => string): [string, T[]][] => {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1))
}

const agentRow = (agent: LaunchedAgentView): Top['agents'][number] => ({
  attempt: agent.attempt,
  project: agent.project,
  issue: agent.issueNumber,
  step: agent.step,
  agent: agent.agent,
  started_at: agent.startedAt?.toISOString() ?? null,
  host: agent.host,
  host_life: agent.hostLife,
})

/** What the queue holds and who is at it, as the stores tell it. */
export const readTop = async (
  stores: Backend,
  { agentsIn, key }: { agentsIn: (value: JsonValue) => LaunchedAgentView[]; key: string },
): Promise<Top> => {
  const counts = await orNull(stores.inbox.counts())
  const [pending, processing] = [await orNull(tasksOf(stores, 'pending')), await orNull(tasksOf(stores, 'processing'))]
  const tasks = [...(pending ?? []), ...(processing ?? [])]
  const held = (processing ?? []).flatMap(({ claimedBy }) => (claimedBy === null ? [] : [claimedBy]))
  const oldest = await orNull(stores.inbox.oldestDue())
  return {
    version: 1,
    inbox: counts && { ...counts },
    oldest_due: oldest?.toISOString() ?? null,
    projects: grouped(tasks, ({ project }) => project).map(([project, own]) => ({
      project,
      pending: own.filter(({ status }) => status === 'pending').length,
      processing: own.filter(({ status }) => status === 'processing').length,
    })),
    counted: pending?.length !== mostTasks && processing?.length !== mostTasks,
    agents: agentsIn((await orNull(stores.hostState.load(key)))?.value ?? null).map(agentRow),
    hosts: grouped(held, (host) => host).map(([host, own]) => ({ host, tasks: own.length })),
  }
}

/** A host's name begins with its machine's, and ends with its process. */
const hostText = (host: string): string => {
  const [place = '', , pid] = host.split('/')
  return pid === undefined ? host : `${place.split('~')[0]} ${pid}`
}

interface TextOptions {
  now: number
  /** A length of time in milliseconds, as a person reads it. */
  duration(ms: number): string
}

const section = (heading: readonly string[], rows: readonly (readonly string[])[]): Line[] =>
  rows.length === 0
    ? []
    : [
        '',
        ...table(
          heading.map((text, index) => ({ heading: text, shrinks: index < 3 })),
          rows,
        ),
      ]

/** Queue, agents and hosts, as a person reads them. */
export const topText = (top: Top, { now, duration }: TextOptions): Line[] => {
  const since = (iso: string | null): string => (iso === null ? '?' : duration(now - Date.parse(iso)))
  const counts = Object.entries(top.inbox ?? {}).map(
    ([status, count]) => `${status} ${typeof count === 'number' ? count : `${count.atLeast}+`}`,
  )
  return [
    `inbox  ${top.inbox === null ? 'not reachable' : counts.join(', ')}`,
    `oldest ${top.oldest_due === null ? 'none is due' : `due for ${since(top.oldest_due)}`}`,
    ...section(
      ['project', 'pending', 'processing'],
      top.projects.map(({ project, pending, processing }) => [project, String(pending), String(processing)]),
    ),
    ...(top.counted ? [] : [`(of the first ${mostTasks} tasks)`]),
    ...section(
      ['task', 'step', 'agent', 'for', 'host'],
      top.agents.map(({ project, issue, step, agent, started_at: at, host, host_life: life }) => [
        `${project}/${issue}`,
        step,
        agent,
        since(at),
        `${hostText(host)}${life === 'dead' ? ' (gone)' : ''}`,
      ]),
    ),
    ...section(
      ['host', 'tasks'],
      top.hosts.map(({ host, tasks }) => [hostText(host), String(tasks)]),
    ),
  ]
}
