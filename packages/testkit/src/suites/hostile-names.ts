import type { Backend, NameKind } from '@nexus/core'
import { expect } from 'vitest'
import { longestNames, oddNames, refusedNames, refusedNamesOf } from '../arbitraries/names.ts'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, everyPage, present, refused } from './samples.ts'

type Verb = (backend: Backend, name: string) => Promise<unknown>

/** One kind of name, by the verbs that create a record of it, and those that find one. */
interface NamedRecord {
  kind: NameKind
  create: readonly Verb[]
  /** What is there under the name, as far as it shows that it is the right one. */
  find: Verb
  names(backend: Backend): Promise<string[]>
  /** Verbs that change what is there, and the answer where there is nothing. */
  change: readonly Verb[]
  spelled(name: string): string
}

const asIs = (name: string): string => name
const absent = { status: 'absent' }

const projectsAndIssues = async ({ completions }: Backend) =>
  (await everyPage((request) => completions.scan(request))).items

const taskProjects = async ({ taskFiles }: Backend): Promise<string[]> =>
  (await everyPage((request) => taskFiles.list(request))).items.map(({ project }) => project)

const kinds: readonly NamedRecord[] = [
  {
    kind: 'workflowId',
    create: [({ workflows }, id) => workflows.save(aWorkflow({ id, name: `named ${id}` }))],
    find: async ({ workflows }, id) => (await workflows.load(id))?.id ?? null,
    names: async ({ workflows }) => (await everyPage((request) => workflows.list(request))).items.map(({ id }) => id),
    change: [({ workflows }, id) => workflows.delete(id)],
    spelled: asIs,
  },
  {
    kind: 'stateKey',
    create: [
      ({ hostState }, key) => hostState.save(key, key),
      ({ hostState }, key) => hostState.patch(key, { entries: { key } }),
      ({ hostState }, key) => hostState.update(key, () => key),
    ],
    find: async ({ hostState }, key) => (await hostState.load(key))?.key ?? null,
    names: async ({ hostState }) => (await everyPage((request) => hostState.keys(request))).items,
    change: [({ hostState }, key) => hostState.delete(key)],
    spelled: asIs,
  },
  {
    kind: 'taskFilename',
    create: [({ taskFiles }, filename) => taskFiles.save(aTaskFile({ filename }))],
    find: async ({ taskFiles }, name) => (await taskFiles.load('alpha', name))?.filename ?? null,
    names: async ({ taskFiles }) =>
      (await everyPage((request) => taskFiles.list(request))).items.map(({ filename }) => filename),
    change: [
      ({ taskFiles }, name) => taskFiles.close('alpha', name),
      ({ taskFiles }, name) => taskFiles.reopen('alpha', name),
      ({ taskFiles }, name) => taskFiles.delete('alpha', name),
    ],
    spelled: (name) => `${name}.md`,
  },
  {
    kind: 'project',
    create: [
      ({ taskFiles }, project) => taskFiles.save(aTaskFile({ project })),
      ({ completions }, project) => completions.save(aCompletion({ project })),
    ],
    find: async ({ taskFiles }, project) => (await taskFiles.load(project, 'login.md'))?.project ?? null,
    names: async (backend) => (await projectsAndIssues(backend)).map(({ project }) => project ?? ''),
    change: [
      ({ taskFiles }, project) => taskFiles.close(project, 'login.md'),
      ({ taskFiles }, project) => taskFiles.delete(project, 'login.md'),
    ],
    spelled: asIs,
  },
  {
    kind: 'issueNumber',
    create: [({ completions }, issueNumber) => completions.save(aCompletion({ issueNumber }))],
    find: async ({ completions }, issue) => (await completions.history(issue)).items[0]?.issueNumber ?? null,
    names: async (backend) => (await projectsAndIssues(backend)).map(({ issueNumber }) => issueNumber),
    change: [({ completions }, issue) => completions.delete(`${issue}:developer:complete`)],
    spelled: asIs,
  },
  {
    kind: 'agentType',
    create: [({ completions }, agentType) => completions.save(aCompletion({ agentType }))],
    find: async ({ completions }, agent) =>
      (await completions.history('7')).items.find(({ agentType }) => agentType === agent)?.agentType ?? null,
    names: async ({ completions }) =>
      (await everyPage((request) => completions.history('7', request))).items.map(({ agentType }) => agentType),
    change: [({ completions }, agent) => completions.delete(`7:${agent}:complete`)],
    spelled: asIs,
  },
]

const fits = (kind: NameKind, name: string): boolean =>
  !name.includes('..') && Buffer.byteLength(name) <= Buffer.byteLength(longestNames[kind])

export const hostileNames = (clause: Clause): void => {
  for (const { kind, create, find, names, change, spelled } of kinds) {
    clause('C-ALL-5', `a ${kind} that cannot be is invalid, finds nothing and leaves nothing`, async ({ backend }) => {
      const neighbours = ['a', 'b'].map(spelled)
      for (const name of neighbours) await present(create[0])(backend, name)
      for (const name of [...refusedNames, ...refusedNamesOf[kind]]) {
        for (const verb of create) {
          const { outcome } = await refused(verb(backend, name), 'invalid')
          expect(outcome).toBe('not-applied')
        }
        expect(await find(backend, name), JSON.stringify(name)).toBeNull()
        for (const verb of change) expect(await verb(backend, name), JSON.stringify(name)).toEqual(absent)
      }
      expect((await (kind === 'project' ? taskProjects : names)(backend)).sort()).toEqual(neighbours)
    })

    clause('C-ALL-5', `an odd ${kind} is kept as it is, byte for byte`, async ({ backend }) => {
      const odd = [...oddNames.map(spelled).filter((name) => fits(kind, name)), longestNames[kind]]
      for (const name of odd) await present(create[0])(backend, name)
      for (const name of odd) expect(await find(backend, name)).toBe(name)
      const listed = await (kind === 'project' ? taskProjects : names)(backend)
      expect(listed.sort()).toEqual([...odd].sort())
    })
  }
}

export const unmatchedNames = (clause: Clause): void => {
  clause('C-ALL-5', 'an issue number of a task file is held to the same rule', async ({ backend }) => {
    for (const issueNumber of [...refusedNames, ...refusedNamesOf.issueNumber])
      await refused(backend.taskFiles.save(aTaskFile({ issueNumber })), 'invalid')
    expect((await backend.taskFiles.list()).items).toEqual([])
  })

  clause('C-ALL-5', 'an empty project or issue number of a workflow is invalid', async ({ backend }) => {
    for (const empty of [{ project: '' }, { issueNumber: '' }])
      await refused(backend.workflows.save(aWorkflow(empty)), 'invalid')
    expect((await backend.workflows.list()).items).toEqual([])
  })

  clause('C-ALL-5', 'a filter that nothing can match matches nothing', async ({ backend }) => {
    const { workflows, completions, taskFiles } = backend
    await workflows.save(aWorkflow())
    await completions.save(aCompletion())
    await taskFiles.save(aTaskFile({ issueNumber: '7' }))
    for (const name of refusedNames) {
      const pages = [
        await workflows.list({ state: name }),
        await workflows.list({ project: name }),
        await completions.scan({ issueNumber: name }),
        await completions.scan({ project: name }),
        await completions.history(name),
        await completions.history('7', { project: name }),
        await taskFiles.list({ project: name }),
        await taskFiles.list({ state: name }),
        await taskFiles.list({ issueNumber: name }),
      ]
      for (const page of pages) expect(page).toEqual({ items: [], corrupt: [], cursor: null })
      expect(await completions.assign(name, 'alpha')).toEqual(absent)
    }
  })

  clause('C-ALL-5', 'names that already exist are listed, read and finished as they are', async (t) => {
    const { workflows, hostState, taskFiles } = t.backend
    const workflow = { id: 'alpha..7', name: 'Theirs', state: 'running', currentStep: 0, data: '{"steps": []}' }
    await t.foreign.insertWorkflow(workflow)
    await t.foreign.insertHostState('state..old', '{"a": 1}')
    const file = { ...aTaskFile({ filename: 'release..notes.md' }), state: 'active', issueNumber: null } as const
    await t.foreign.insertTaskFile(file)
    expect((await workflows.list()).items).toMatchObject([{ id: 'alpha..7' }])
    expect(await workflows.save(aWorkflow({ id: 'alpha..7', state: 'completed' }))).toMatchObject({ status: 'saved' })
    expect(await workflows.load('alpha..7')).toMatchObject({ state: 'completed' })
    expect((await hostState.keys()).items).toEqual(['state..old'])
    expect(await hostState.patch('state..old', { entries: { b: 2 } })).toMatchObject({ status: 'saved' })
    expect(await hostState.load('state..old')).toMatchObject({ value: { a: 1, b: 2 } })
    expect(await taskFiles.close('alpha', 'release..notes.md')).toEqual({
      status: 'moved',
      filename: 'release..notes.md',
    })
    expect(await taskFiles.load('alpha', 'release..notes.md')).toMatchObject({ state: 'closed' })
  })
}
