import { randomUUID } from 'node:crypto'
import type { Backend, JsonObject, JsonValue } from '@nexus/core'
import type { ForeignProgram } from '@nexus/testkit'

/** One place that takes text, and gives it back. */
export interface TextPlace {
  title: string
  save(backend: Backend, text: string): Promise<unknown>
  load(backend: Backend): Promise<unknown>
}

const completion = (given: { summary?: string; reportId?: string; payload?: JsonObject }) => ({
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete' as const,
  summary: 'Done',
  payload: { a: 1 },
  reportId: null,
  ...given,
})

const workflow = (given: { name?: string; data?: JsonObject }) => ({
  id: 'flow',
  name: 'Flow',
  state: 'running',
  currentStep: 0,
  data: {},
  ...given,
})

const enqueue = ({ inbox }: Backend, given: { markdown?: string; workspace?: string }) =>
  inbox.enqueue([{ project: 'texts', filename: `${randomUUID()}.md`, markdown: 'text', ...given }])

const newest = async ({ inbox }: Backend) => (await inbox.list({ project: 'texts', limit: 1 })).items[0]

export const textPlaces: readonly TextPlace[] = [
  {
    title: 'content of a task file',
    save: ({ taskFiles }, content) => taskFiles.save({ project: 'alpha', filename: 'text.md', content }),
    load: async ({ taskFiles }) => (await taskFiles.load('alpha', 'text.md'))?.content,
  },
  {
    title: 'summary of a completion',
    save: ({ completions }, summary) => completions.save(completion({ summary })),
    load: async ({ completions }) => (await completions.scan()).items[0]?.summary,
  },
  {
    title: 'report id of a completion',
    save: ({ completions }, reportId) => completions.save(completion({ reportId })),
    load: async ({ completions }) => (await completions.scan()).items[0]?.reportId,
  },
  {
    title: 'name of a workflow',
    save: ({ workflows }, name) => workflows.save(workflow({ name })),
    load: async ({ workflows }) => (await workflows.load('flow'))?.name,
  },
  {
    title: 'markdown of a task',
    save: (backend, markdown) => enqueue(backend, { markdown }),
    load: async (backend) => (await newest(backend))?.markdown,
  },
  {
    title: 'workspace of a task',
    save: (backend, workspace) => enqueue(backend, { workspace }),
    load: async (backend) => (await newest(backend))?.workspace,
  },
]

/** One place that takes a document, and gives it back as a member of an object. */
export interface DocumentPlace {
  title: string
  save(backend: Backend, member: JsonValue): Promise<unknown>
  load(backend: Backend): Promise<JsonValue | undefined>
}

const memberIn = (document: JsonValue | undefined): JsonValue | undefined =>
  (document as JsonObject | undefined)?.['member']

export const documentPlaces: readonly DocumentPlace[] = [
  {
    title: 'host state',
    save: ({ hostState }, member) => hostState.save('document', { member }),
    load: async ({ hostState }) => memberIn((await hostState.load('document'))?.value),
  },
  {
    title: 'a patch of host state',
    save: ({ hostState }, member) => hostState.patch('document', { entries: { member } }),
    load: async ({ hostState }) => memberIn((await hostState.load('document'))?.value),
  },
  {
    title: 'data of a workflow',
    save: ({ workflows }, member) => workflows.save(workflow({ data: { member } })),
    load: async ({ workflows }) => memberIn((await workflows.load('flow'))?.data),
  },
  {
    title: 'payload of a completion',
    save: ({ completions }, member) => completions.save(completion({ payload: { member } })),
    load: async ({ completions }) => memberIn((await completions.history('7')).items[0]?.payload),
  },
]

/** Text that another program stored; what we make of it, and whether it stays as it is. */
export interface ForeignPlace {
  title: string
  /** As the place has it, where the text alone is no record. */
  wrapped?(text: string): string
  put(foreign: ForeignProgram, backend: Backend, text: string): Promise<unknown>
  verbs: Record<string, (backend: Backend) => Promise<unknown>>
  stored(foreign: ForeignProgram): Promise<string>
}

const asRead = async (call: Promise<{ value: JsonValue } | null>) => JSON.stringify((await call)?.value)

export const foreignPlaces: readonly ForeignPlace[] = [
  {
    title: 'host state of another program',
    async put(foreign, { hostState }, text) {
      await hostState.delete('theirs')
      await foreign.insertHostState('theirs', text)
    },
    verbs: {
      load: ({ hostState }) => asRead(hostState.load('theirs')),
      keys: async ({ hostState }) => (await hostState.keys()).items.includes('theirs'),
      'save of what must not exist': ({ hostState }) => hostState.save('theirs', 1, { ifRev: null }),
    },
    stored: (foreign) => foreign.hostStateText('theirs'),
  },
  {
    title: 'workflow of another program',
    wrapped: (text) =>
      text.replace(
        /^(\s*)\{/,
        '$1{"id": "theirs", "name": "Theirs", "state": "running", "current_step": 0, "member": 1, ',
      ),
    async put(foreign, { workflows }, text) {
      await workflows.delete('theirs')
      await workflows.save({ id: 'theirs', name: 'Theirs', state: 'running', currentStep: 0, data: {} })
      await foreign.writeWorkflowText('theirs', text)
    },
    verbs: {
      load: async ({ workflows }) => JSON.stringify((await workflows.load('theirs'))?.data),
      list: async ({ workflows }) => {
        const { items, corrupt } = await workflows.list()
        return [items.some(({ id }) => id === 'theirs'), corrupt.map(({ name }) => name)]
      },
      'save of what must not exist': ({ workflows }) =>
        workflows.save({ id: 'theirs', name: 'Ours', state: 'running', currentStep: 0, data: {} }, { ifRev: null }),
    },
    stored: (foreign) => foreign.workflowText('theirs'),
  },
]

const circle: Record<string, unknown> = {}
circle['self'] = circle

const parsedOf = (text: string): unknown[] => {
  try {
    return [JSON.parse(text.replace(/^\uFEFF/, ''))]
  } catch {
    return []
  }
}

/** What a caller may hand over as a document, whatever its type says. */
export const documentsOf = (texts: readonly string[]): JsonValue[] =>
  [
    ...texts.flatMap(parsedOf),
    ...[undefined, Number.NaN, Number.NEGATIVE_INFINITY, -0, 10n, () => 1, Symbol('s'), new Date(0), new Map(), /x/],
    ...[
      circle,
      new Array<number>(3),
      [undefined],
      { a: undefined },
      Object.create({ inherited: 1 }),
      new Uint8Array(3),
    ],
  ] as JsonValue[]
