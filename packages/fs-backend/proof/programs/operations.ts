import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Backend, type ClaimedTask, StoreError } from '@nexus/core'

/** What a record holds, in the words of `observe`; null where there is none. */
export type Value = string | null

/** One call of a store, and what the records are once it was acknowledged. */
export interface Operation {
  id: string
  sets: Record<string, Value>
  /** A later look does what this call failed to do. */
  isRepeated?: boolean
  run(backend: Backend): Promise<unknown>
}

const filler = 'x'.repeat(20_000)

const body = (value: string): string => `${value}\n${filler}`

/** The value whose body it is, or that it is none. */
export const valueIn = (text: unknown): string => {
  const value = String(text).split('\n')[0] ?? ''
  return text === body(value) ? value : `torn ${JSON.stringify(text)?.slice(0, 80)}`
}

const issueOfDrop = (n: number): string => String(1000 + n)

const dropFolder = (root: string): string => join(root, 'tasks', 'alpha', 'completions')

/** The agents' folder, before anything is faulted. */
export const prepareDrops = async (root: string): Promise<void> => {
  await mkdir(dropFolder(root), { recursive: true })
}

const writeAgain = (write: () => void): void => {
  try {
    write()
  } catch (cause) {
    throw new StoreError({ code: 'unavailable', message: 'The agent cannot write its report.', cause })
  }
}

/** The agent's own write: what fails there is no fault of the store, so it is simply done again. */
const drop = (root: string, n: number): void => {
  const report = { agent_type: 'developer', status: 'complete', summary: body(`drop ${n}`) }
  const path = join(dropFolder(root), `completion_summary_${issueOfDrop(n)}.json`)
  const write = (): void => writeFileSync(path, JSON.stringify(report))
  try {
    write()
  } catch {
    writeAgain(write)
  }
}

const completion = (agentType: string, value: string) => ({
  project: 'alpha',
  issueNumber: '1',
  agentType,
  status: 'complete' as const,
  summary: body(value),
  payload: { value: body(value) },
  reportId: value,
})

const stateOperations = (n: number): Operation[] => [
  {
    id: `${n} state.save`,
    sets: { 'state/a': `state ${n}` },
    run: ({ hostState }) => hostState.save('a', { value: body(`state ${n}`) }),
  },
  {
    id: `${n} state.patch`,
    sets: { 'state/a': `patched ${n}` },
    run: ({ hostState }) => hostState.patch('a', { entries: { value: body(`patched ${n}`) } }),
  },
  {
    id: `${n} state.save again`,
    sets: { 'state/b': `state ${n}` },
    run: ({ hostState }) => hostState.save('b', { value: body(`state ${n}`) }),
  },
  { id: `${n} state.delete`, sets: { 'state/b': null }, run: ({ hostState }) => hostState.delete('b') },
  {
    id: `${n} workflow.save`,
    sets: { 'workflow/flow': `flow ${n}` },
    run: ({ workflows }) =>
      workflows.save({
        id: 'flow',
        name: 'flow',
        state: 'running',
        currentStep: n,
        data: { value: body(`flow ${n}`) },
      }),
  },
]

const completionOperations = (root: string, n: number): Operation[] => [
  ...['developer', 'reviewer'].map((agent): Operation => {
    const value = `${agent} ${n}`
    return {
      id: `${n} completion.save ${agent}`,
      sets: { [`completion/${agent}`]: value, 'latest/1': value, 'mirror/1': value },
      run: ({ completions }) => completions.save(completion(agent, value)),
    }
  }),
  {
    id: `${n} completion.import`,
    sets: { [`drop/${issueOfDrop(n)}`]: `drop ${n}` },
    isRepeated: true,
    async run({ completions }) {
      drop(root, n)
      const { items } = await completions.scan({ issueNumber: issueOfDrop(n) })
      if (items.length === 0) throw new StoreError({ code: 'unavailable', message: 'The drop is not imported.' })
    },
  },
]

const taskOperations = (n: number): Operation[] => {
  const [former, later] = n % 2 === 1 ? (['active', 'closed'] as const) : (['closed', 'active'] as const)
  const save = (filename: string) => ({ project: 'alpha', filename, content: body(`${filename} ${n}`) })
  return [
    {
      id: `${n} task.save`,
      sets: { 'task/t.md': `${former} t.md ${n}` },
      run: ({ taskFiles }) => taskFiles.save(save('t.md')),
    },
    {
      id: `${n} task.move`,
      sets: { 'task/t.md': `${later} t.md ${n}` },
      run: ({ taskFiles }) => taskFiles[later === 'closed' ? 'close' : 'reopen']('alpha', 't.md'),
    },
    {
      id: `${n} task.save again`,
      sets: { 'task/u.md': `active u.md ${n}` },
      run: ({ taskFiles }) => taskFiles.save(save('u.md')),
    },
    {
      id: `${n} task.delete`,
      sets: { 'task/u.md': null },
      run: ({ taskFiles }) => taskFiles.delete('alpha', 'u.md'),
    },
  ]
}

const inboxOperations = (n: number): Operation[] => {
  const project = `p${n}`
  const [a, b] = [`inbox/${project}/a.md`, `inbox/${project}/b.md`]
  const held = new Map<string, ClaimedTask>()
  const claimOf = (filename: string) => {
    const task = held.get(filename)
    if (!task) throw new Error('not claimed')
    return task.claim
  }
  const task = (filename: string) => ({ project, filename, markdown: body(`${filename} ${n}`) })
  return [
    {
      id: `${n} inbox.enqueue`,
      sets: { [a]: 'pending', [b]: 'pending' },
      run: ({ inbox }) => inbox.enqueue([task('a.md'), task('b.md')]),
    },
    {
      id: `${n} inbox.claim`,
      sets: { [a]: 'processing', [b]: 'processing' },
      async run({ inbox }) {
        const claimed = await inbox.claim({ worker: 'writer', limit: 2, leaseMs: 3_600_000, projects: [project] })
        for (const one of claimed) held.set(one.filename, one)
      },
    },
    {
      id: `${n} inbox.bind`,
      sets: { [a]: `processing #${n}` },
      run: ({ inbox }) => inbox.bind(claimOf('a.md'), { issueNumber: String(n) }),
    },
    { id: `${n} inbox.complete`, sets: { [a]: `done #${n}` }, run: ({ inbox }) => inbox.complete(claimOf('a.md')) },
    {
      id: `${n} inbox.fail`,
      sets: { [b]: 'failed' },
      run: ({ inbox }) => inbox.fail(claimOf('b.md'), 'no', { fatal: true }),
    },
  ]
}

/** Every write path of the stores once; round after round overwrites, moves back and goes on. */
export const operationsOf = (root: string, n: number): Operation[] => [
  ...stateOperations(n),
  ...completionOperations(root, n),
  ...taskOperations(n),
  ...inboxOperations(n),
]
