import { resolve } from 'node:path'
import { maxPageLimit, readConfig } from '@nexus/core'
import { listRuns } from '@nexus/host/runs'
import type { CompletedIds } from '../cli/cli.ts'
import { type Place, withStores } from '../cli/with-stores.ts'

const newest = { limit: maxPageLimit }

const readers: Readonly<Record<Exclude<CompletedIds, 'runs'>, (place: Place) => Promise<string[]>>> = {
  tasks: async ({ stores }) => (await stores.inbox.list(newest)).items.map(({ id }) => id),
  workflows: async ({ stores }) => (await stores.workflows.list(newest)).items.map(({ id }) => id),
  issues: async ({ stores }) => (await stores.completions.scan(newest)).items.map(({ issueNumber }) => issueNumber),
  keys: async ({ stores }) => (await stores.hostState.keys(newest)).items,
  conflicts: async ({ stores }) => ((await stores.operations?.conflicts(newest))?.items ?? []).map(({ id }) => id),
}

/** The latest ids of a kind, as many as one page holds. */
export const readIds = (kind: CompletedIds): Promise<string[]> =>
  kind === 'runs' ? listRuns(resolve(readConfig(process.env).dir)) : withStores(readers[kind])
