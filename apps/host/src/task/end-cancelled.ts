import { eachItem, isStoreError, type Workflow } from '@nexus/core'
import { attemptsOf, documentOf, steerWorkflow } from '@nexus/engine'
import type { HostTools } from '../host-tools.ts'
import { timeOf } from './apply.ts'
import { taskOf } from './open-workflow.ts'

type Tools = Pick<HostTools, 'stores' | 'records' | 'clock' | 'logger'>

const open = ['pending', 'running', 'paused'] as const

const endWorkflow = async (tools: Tools, workflow: Workflow, task: string): Promise<void> => {
  const document = documentOf(workflow)
  if (taskOf(document) !== task) return
  await steerWorkflow(tools.stores, workflow.id, {
    type: 'cancel',
    reason: 'cancelled by a person',
    at: timeOf(tools),
  })
  await tools.records.removeAgents(attemptsOf(document))
  tools.logger.info('workflow cancelled', {
    workflow: workflow.id,
    project: workflow.project,
    issue: workflow.issueNumber,
  })
}

/**
 * Ends the workflow of a task whose cancel met the end of its hold: then the inbox carried it out, and no heartbeat tells of
 * it. Says whether the task was cancelled so; any other stays as it is. A crash before it leaves a workflow that a
 * second cancel ends.
 */
export const endCancelled = async (tools: Tools, id: string): Promise<boolean> => {
  const task = await tools.stores.inbox.load(id)
  if (task?.status !== 'failed' || !task.cancelRequested) return false
  for (const state of open)
    for await (const workflow of eachItem((page) =>
      tools.stores.workflows.list({ ...page, state, project: task.project }),
    ))
      try {
        if (workflow.issueNumber === task.issueNumber) await endWorkflow(tools, workflow, id)
      } catch (error) {
        if (!isStoreError(error, 'corrupt')) throw error
      }
  return true
}
