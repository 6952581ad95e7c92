import type { Backend, Claim, ClaimedTask, WorkflowInput } from '@nexus/core'

/** One place of one verb where a name, or other short text, comes from outside. */
export interface Position {
  title: string
  run(backend: Backend, name: string): Promise<unknown>
  /** What the store calls it afterwards, where it was taken: the very name. */
  back?(backend: Backend, name: string): Promise<unknown>
}

const workflow = (given: Partial<WorkflowInput>): WorkflowInput => ({
  id: 'flow',
  name: 'Flow',
  state: 'running',
  currentStep: 0,
  data: { a: 1 },
  ...given,
})

const completion = (given: Record<string, string>) => ({
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete' as const,
  summary: 'Done',
  payload: { a: 1 },
  reportId: null,
  ...given,
})

const file = { project: 'alpha', filename: 'task.md', content: 'Task' }
const task = { project: 'alpha', filename: 'task.md', markdown: 'Task' }
const lease = { worker: 'worker', leaseMs: 60_000 }

/** What a claim of the only task of a project of its own gives; it is given back afterwards. */
const whileHeld = async <T>({ inbox }: Backend, worker: string, work: (held: ClaimedTask) => Promise<T>) => {
  await inbox.enqueue([{ ...task, project: 'held' }])
  const [held] = await inbox.claim({ ...lease, worker, limit: 1, projects: ['held'] })
  if (!held) return 'nothing claimed'
  try {
    return await work(held)
  } finally {
    await inbox.release(held.claim)
  }
}

const workflowPositions: readonly Position[] = [
  {
    title: 'workflows.save id',
    run: ({ workflows }, id) => workflows.save(workflow({ id })),
    back: async ({ workflows }, id) => (await workflows.load(id))?.id,
  },
  ...(['project', 'issueNumber', 'name'] as const).map(
    (member): Position => ({
      title: `workflows.save ${member}`,
      run: ({ workflows }, name) => workflows.save(workflow({ [member]: name })),
      back: async ({ workflows }) => (await workflows.load('flow'))?.[member],
    }),
  ),
  { title: 'workflows.save state', run: ({ workflows }, state) => workflows.save(workflow({ id: 'other', state })) },
  { title: 'workflows.load', run: async ({ workflows }, id) => (await workflows.load(id))?.name },
  { title: 'workflows.delete', run: ({ workflows }, id) => workflows.delete(id) },
  { title: 'workflows.list project', run: ({ workflows }, project) => workflows.list({ project }) },
  { title: 'workflows.list state', run: ({ workflows }, state) => workflows.list({ state }) },
  { title: 'workflows.list cursor', run: ({ workflows }, cursor) => workflows.list({ cursor }) },
]

const completionPositions: readonly Position[] = [
  ...(['project', 'issueNumber', 'agentType', 'summary', 'reportId'] as const).map(
    (member): Position => ({
      title: `completions.save ${member}`,
      run: ({ completions }, name) => completions.save(completion({ [member]: name })),
      back: async ({ completions }, name) =>
        (await completions.history(member === 'issueNumber' ? name : '7')).items.find((one) => one[member] === name)?.[
          member
        ],
    }),
  ),
  { title: 'completions.scan issue', run: ({ completions }, issueNumber) => completions.scan({ issueNumber }) },
  { title: 'completions.scan project', run: ({ completions }, project) => completions.scan({ project }) },
  { title: 'completions.scan cursor', run: ({ completions }, cursor) => completions.scan({ cursor }) },
  { title: 'completions.history', run: ({ completions }, issue) => completions.history(issue) },
  { title: 'completions.history project', run: ({ completions }, project) => completions.history('7', { project }) },
  { title: 'completions.assign key', run: ({ completions }, key) => completions.assign(key, 'alpha') },
  {
    title: 'completions.assign project',
    run: ({ completions }, project) => completions.assign('7:developer:complete', project),
  },
  { title: 'completions.delete', run: ({ completions }, key) => completions.delete(key) },
]

const keyOf = async ({ hostState }: Backend, key: string) => (await hostState.load(key))?.key

const statePositions: readonly Position[] = [
  { title: 'hostState.save', run: ({ hostState }, key) => hostState.save(key, key.slice(0, 99)), back: keyOf },
  { title: 'hostState.patch', run: ({ hostState }, key) => hostState.patch(key, { entries: { a: 1 } }), back: keyOf },
  { title: 'hostState.update', run: ({ hostState }, key) => hostState.update(key, () => 'updated'), back: keyOf },
  {
    title: 'hostState.patch member',
    run: ({ hostState }, name) => hostState.patch('members', { entries: { [name]: name } }),
    back: async ({ hostState }, name) =>
      Object.entries((await hostState.load('members'))?.value ?? {}).find(([member]) => member === name)?.[1],
  },
  { title: 'hostState.patch remove', run: ({ hostState }, name) => hostState.patch('members', { remove: [name] }) },
  { title: 'hostState.load', run: async ({ hostState }, key) => (await hostState.load(key))?.value },
  { title: 'hostState.delete', run: ({ hostState }, key) => hostState.delete(key) },
  { title: 'hostState.keys cursor', run: ({ hostState }, cursor) => hostState.keys({ cursor }) },
]

const moves = ['close', 'reopen', 'delete'] as const

const taskPositions: readonly Position[] = [
  {
    title: 'taskFiles.save filename',
    run: ({ taskFiles }, filename) => taskFiles.save({ ...file, filename }),
    back: async ({ taskFiles }, filename) => (await taskFiles.load('alpha', filename))?.filename,
  },
  {
    title: 'taskFiles.save filename.md',
    run: ({ taskFiles }, name) => taskFiles.save({ ...file, filename: `${name}.md` }),
    back: async ({ taskFiles }, name) => (await taskFiles.load('alpha', `${name}.md`))?.filename.slice(0, -3),
  },
  {
    title: 'taskFiles.save project',
    run: ({ taskFiles }, project) => taskFiles.save({ ...file, project }),
    back: async ({ taskFiles }, project) => (await taskFiles.load(project, 'task.md'))?.project,
  },
  {
    title: 'taskFiles.save issueNumber',
    run: ({ taskFiles }, issueNumber) => taskFiles.save({ ...file, filename: 'issue.md', issueNumber }),
    back: async ({ taskFiles }) => (await taskFiles.load('alpha', 'issue.md'))?.issueNumber,
  },
  { title: 'taskFiles.load project', run: ({ taskFiles }, project) => taskFiles.load(project, 'task.md') },
  { title: 'taskFiles.load filename', run: ({ taskFiles }, filename) => taskFiles.load('alpha', filename) },
  ...(['project', 'state', 'issueNumber', 'cursor'] as const).map(
    (member): Position => ({
      title: `taskFiles.list ${member}`,
      run: ({ taskFiles }, name) => taskFiles.list({ [member]: name }),
    }),
  ),
  ...moves.flatMap((verb): Position[] => [
    { title: `taskFiles.${verb} project`, run: ({ taskFiles }, project) => taskFiles[verb](project, 'task.md') },
    { title: `taskFiles.${verb} filename`, run: ({ taskFiles }, name) => taskFiles[verb]('alpha', `${name}.md`) },
  ]),
]

const enqueuePositions = (['project', 'workspace', 'filename', 'idempotencyKey', 'issueNumber'] as const).map(
  (member): Position => ({
    title: `inbox.enqueue ${member}`,
    run: ({ inbox }, name) => inbox.enqueue([{ ...task, filename: `${member}.md`, workspace: name, [member]: name }]),
    back: async ({ inbox }, name) => {
      const [queued] = await inbox.enqueue([{ ...task, filename: `${member}.md`, workspace: name, [member]: name }])
      return (await inbox.load(queued?.id ?? ''))?.[member]
    },
  }),
)

type HolderVerb = (backend: Backend, claim: Claim) => Promise<unknown>

const holderVerbs: Record<string, HolderVerb> = {
  heartbeat: async ({ inbox }, claim) => (await inbox.heartbeat([claim])).lost.length,
  complete: ({ inbox }, claim) => inbox.complete(claim),
  fail: ({ inbox }, claim) => inbox.fail(claim, 'no', { fatal: true }),
  release: ({ inbox }, claim) => inbox.release(claim),
  bind: ({ inbox }, claim) => inbox.bind(claim, { issueNumber: '7' }),
}

const inboxPositions: readonly Position[] = [
  ...enqueuePositions,
  { title: 'inbox.claim worker', run: (backend, worker) => whileHeld(backend, worker, async (held) => held.claimedBy) },
  {
    title: 'inbox.claim projects',
    run: async ({ inbox }, project) => {
      const claimed = await inbox.claim({ ...lease, limit: 1, projects: [project] })
      for (const { claim } of claimed) await inbox.release(claim)
      return claimed.map((one) => one.project)
    },
  },
  {
    title: 'inbox.bind issueNumber',
    run: (backend, issueNumber) =>
      whileHeld(backend, 'worker', ({ claim }) => backend.inbox.bind(claim, { issueNumber })),
  },
  {
    title: 'inbox.fail error',
    run: (backend, error) =>
      whileHeld(backend, 'worker', ({ claim }) => backend.inbox.fail(claim, error, { fatal: true })),
  },
  ...Object.entries(holderVerbs).flatMap(([verb, run]): Position[] => [
    { title: `inbox.${verb} id`, run: (backend, id) => run(backend, { id, epoch: 1, worker: 'worker' }) },
    {
      title: `inbox.${verb} worker`,
      run: (backend, worker) => whileHeld(backend, 'worker', ({ claim }) => run(backend, { ...claim, worker })),
    },
  ]),
  { title: 'inbox.resume worker', run: ({ inbox }, worker) => inbox.resume({ ...lease, worker }) },
  { title: 'inbox.requeue', run: ({ inbox }, id) => inbox.requeue(id) },
  { title: 'inbox.cancel', run: ({ inbox }, id) => inbox.cancel(id) },
  { title: 'inbox.load', run: ({ inbox }, id) => inbox.load(id) },
  { title: 'inbox.list project', run: ({ inbox }, project) => inbox.list({ project }) },
  { title: 'inbox.list status', run: ({ inbox }, status) => inbox.list({ status }) },
  { title: 'inbox.list cursor', run: ({ inbox }, cursor) => inbox.list({ cursor }) },
]

/** Every name position of every verb. */
export const positions: readonly Position[] = [
  ...workflowPositions,
  ...completionPositions,
  ...statePositions,
  ...taskPositions,
  ...inboxPositions,
]
