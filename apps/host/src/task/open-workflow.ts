import type { ClaimedTask, InboxTask, Workflow } from '@nexus/core'
import { siblingName } from '@nexus/core'
import {
  createDocument,
  documentOf,
  type LinkedWorkflow,
  nearestTier,
  type Tier,
  tierOfType,
  toData,
  type WorkflowDocument,
} from '@nexus/engine'
import type { ProjectConfig } from '../config/host-config.ts'
import type { HostTools } from '../host-tools.ts'
import { taskFilename, taskTypeIn, tierIn, titleOf } from './markdown.ts'

type Tools = Pick<HostTools, 'stores' | 'logger'>

/** Keys of a workflow's metadata that are ours. */
const metadataKeys = { task: 'inbox_task_id', file: 'task_file', workspace: 'workspace' } as const

export interface OpenRequest {
  task: ClaimedTask
  project: ProjectConfig
  issueNumber: string
}

const openStates: readonly string[] = ['pending', 'running', 'paused', 'failed']

const isLive = (task: InboxTask | null): boolean => task?.status === 'pending' || task?.status === 'processing'

/** Whose workflow this is: this task's, free to be continued by it, or another's. */
const ownership = async ({ stores }: Tools, workflow: Workflow, { task, project, issueNumber }: OpenRequest) => {
  const owner = documentOf(workflow).metadata[metadataKeys.task]
  if (owner === task.id) return 'own'
  if (workflow.project !== null && workflow.project !== project.key) return 'other'
  if (workflow.issueNumber !== null && workflow.issueNumber !== issueNumber) return 'other'
  if (!openStates.includes(workflow.state)) return 'other'
  if (typeof owner !== 'string') return 'free'
  return isLive(await stores.inbox.load(owner)) ? 'other' : 'free'
}

/**
 * Stores the task's markdown as an active file of a name that no other task has. A crash after it leaves a file that the
 * next try knows by its issue and content.
 */
const saveTaskFile = async ({ stores }: Tools, { task, project, issueNumber }: OpenRequest): Promise<string> => {
  const wanted = taskFilename(task.filename, task.id)
  for (let n = 1; ; n += 1) {
    const filename = siblingName(wanted, n)
    const file = { project: project.key, filename, content: task.markdown, issueNumber }
    const saved = await stores.taskFiles.save(file, { ifRev: null })
    if (saved.status === 'saved') return filename
    const present = await stores.taskFiles.load(project.key, filename)
    const isOurs =
      present?.state === 'active' && present.issueNumber === issueNumber && present.content === task.markdown
    if (isOurs) return filename
  }
}

const inputFor = (id: string, document: WorkflowDocument, { project, issueNumber }: OpenRequest) => ({
  id,
  name: typeof document['name'] === 'string' ? document['name'] : id,
  state: document.state,
  currentStep: document.current_step,
  project: project.key,
  issueNumber,
  data: toData(document),
})

/** The steps for this task: of the tier that it names, else of its type's, else of the nearest that there is. */
const linkedOf = ({ key, workflow, tiers }: ProjectConfig, markdown: string): LinkedWorkflow & { tier: Tier } => {
  const type = taskTypeIn(markdown)
  const tier = nearestTier(workflow, tierIn(markdown) ?? tiers.get(type) ?? tierOfType(type))
  const linked = tier === null ? undefined : workflow[tier]
  if (tier === null || !linked) throw new Error(`The workflow of project ${key} has no steps.`)
  return { ...linked, tier }
}

/** Saved before anything runs, so that whoever takes the task over finds its workflow. */
const createWorkflow = async (tools: Tools, request: OpenRequest, id: string): Promise<boolean> => {
  const { task, project, issueNumber } = request
  const file = await saveTaskFile(tools, request)
  const title = titleOf(task.markdown, task.filename)
  const { definition, others, tier } = linkedOf(project, task.markdown)
  const document = createDocument({
    id,
    name: title,
    project: project.key,
    issueNumber,
    description: title,
    definition,
    others,
    metadata: {
      [metadataKeys.task]: task.id,
      [metadataKeys.file]: file,
      [metadataKeys.workspace]: project.workspace,
      tier,
      type: taskTypeIn(task.markdown),
    },
  })
  const saved = await tools.stores.workflows.save(inputFor(id, document, request), { ifRev: null })
  return saved.status === 'saved'
}

/** Enters the task into a workflow that an earlier task, or an earlier program, left unfinished. */
const continueWorkflow = async (tools: Tools, request: OpenRequest, workflow: Workflow): Promise<boolean> => {
  const document = documentOf(workflow)
  const file = await saveTaskFile(tools, request)
  const metadata = { ...document.metadata, [metadataKeys.task]: request.task.id, [metadataKeys.file]: file }
  const input = inputFor(workflow.id, { ...document, metadata }, request)
  const saved = await tools.stores.workflows.save(input, { ifRev: workflow.rev })
  if (saved.status === 'saved')
    tools.logger.info('workflow continued', { workflow: workflow.id, state: workflow.state })
  return saved.status === 'saved'
}

/**
 * The task's workflow, `{project}-{issue}-{type}`. Where that name belongs to another task (a finished run of the same
 * issue, or an id that two projects' names make alike) it is `…-2`, `…-3`: an ended workflow is only reopened by a person.
 */
export const openWorkflow = async (tools: Tools, request: OpenRequest): Promise<string> => {
  const base = `${request.project.key}-${request.issueNumber}-${taskTypeIn(request.task.markdown)}`
  for (let n = 1; ; ) {
    const id = n === 1 ? base : `${base}-${n}`
    const workflow = await tools.stores.workflows.load(id)
    const whose = workflow ? await ownership(tools, workflow, request) : 'none'
    if (whose === 'own') return id
    if (whose === 'other') {
      n += 1
      continue
    }
    const entered = workflow
      ? await continueWorkflow(tools, request, workflow)
      : await createWorkflow(tools, request, id)
    if (entered) return id
  }
}

/** The id of the inbox task that the workflow works for. */
export const taskOf = (document: WorkflowDocument): string | null => {
  const task = document.metadata[metadataKeys.task]
  return typeof task === 'string' ? task : null
}

export const taskFileOf = (document: WorkflowDocument): string | null => {
  const file = document.metadata[metadataKeys.file]
  return typeof file === 'string' ? file : null
}
