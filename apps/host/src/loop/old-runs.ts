import { isStoreError } from '@nexus/core'
import { documentOf, runningAttemptsOf } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import { createRunExpiry } from '../runner/expiry.ts'
import { readRun } from '../runner/find-runs.ts'
import { every } from './every.ts'
import type { Hold, Holds } from './hold.ts'

/** Looked for so often while nothing is held; a host that is never idle does it every so many times all the same. */
const everyMs = 60_000
const mostPassedOver = 30

type Tools = Pick<HostTools, 'config' | 'clock' | 'logger'> & { stores: Pick<HostTools['stores'], 'workflows'> }

const over: readonly string[] = ['completed', 'cancelled']

/**
 * Whether a workflow's running step is this attempt. Its run folder is the proof that it was started: without it, a task
 * that waited for longer than folders are kept (a host that was off, a workflow that is paused) would start it again.
 */
const isPresent = async ({ stores }: Pick<Tools, 'stores'>, attempt: string, workflowId: string): Promise<boolean> => {
  try {
    const workflow = await stores.workflows.load(workflowId)
    if (!workflow || over.includes(workflow.state)) return false
    return runningAttemptsOf(documentOf(workflow)).includes(attempt)
  } catch (error) {
    // Nobody can tell now, or ever: what is kept too long harms nothing.
    if (isStoreError(error)) return true
    throw error
  }
}

/** Says of an attempt whether its run folder may still be asked for. */
export const createIsNeeded =
  (root: string, tools: Pick<Tools, 'stores'>, holds: ReadonlyMap<string, Pick<Hold, 'runs'>>) =>
  async (attempt: string): Promise<boolean> => {
    for (const { runs } of holds.values()) if (runs.has(attempt)) return true
    const workflow = (await readRun(root, attempt))?.workflow ?? null
    return workflow !== null && isPresent(tools, attempt, workflow)
  }

/** Removes the folders of old runs in idle moments, some at a time. Returns the end of it. */
export const removeOldRuns = (root: string, tools: Tools, holds: Holds): (() => void) => {
  const { config, clock, logger } = tools
  const isNeeded = createIsNeeded(root, tools, holds)
  const expiry = createRunExpiry({ root, clock, keepMs: config.keepRunsDays * 86_400_000, isNeeded })
  let passedOver = 0

  const step = async (): Promise<void> => {
    if (holds.size > 0 && ++passedOver < mostPassedOver) return
    passedOver = 0
    const removed = await expiry.step()
    if (removed.length > 0) logger.info('folders of old runs removed', { count: removed.length })
  }

  return every(everyMs, step, (error) =>
    logger.warn('folders of old runs cannot be removed now', { error: String(error) }),
  )
}
