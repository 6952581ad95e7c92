import type { Backend, Page, PageRequest } from '@nexus/core'
import { encodeCursor, type JsonValue } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../harness.ts'
import type { Clause } from './clause.ts'
import { aCompletion, aTaskFile, aWorkflow, everyPage, refused } from './samples.ts'

/** One list of the contract: how its n-th record is made and changed, and how the list names it. */
interface PagedList {
  title: string
  save(backend: Backend, name: string, change?: string): Promise<unknown>
  list(backend: Backend, request: PageRequest): Promise<Page<string>>
}

const named = <T>(page: Page<T>, name: (item: T) => string): Page<string> => ({ ...page, items: page.items.map(name) })

const lists: readonly PagedList[] = [
  {
    title: 'workflows.list',
    save: ({ workflows }, id, change = '') => workflows.save(aWorkflow({ id, name: change })),
    list: async ({ workflows }, request) => named(await workflows.list(request), ({ id }) => id),
  },
  {
    title: 'completions.scan',
    save: ({ completions }, issueNumber, change = '') =>
      completions.save(aCompletion({ issueNumber, summary: change })),
    list: async ({ completions }, request) => named(await completions.scan(request), ({ issueNumber }) => issueNumber),
  },
  {
    title: 'completions.history',
    save: ({ completions }, agentType, change = '') => completions.save(aCompletion({ agentType, summary: change })),
    list: async ({ completions }, request) =>
      named(await completions.history('7', request), ({ agentType }) => agentType),
  },
  {
    title: 'hostState.keys',
    save: ({ hostState }, key, change = '') => hostState.save(key, change),
    list: ({ hostState }, request) => hostState.keys(request),
  },
  {
    title: 'taskFiles.list',
    save: ({ taskFiles }, name, content = '') => taskFiles.save(aTaskFile({ filename: `${name}.md`, content })),
    list: async ({ taskFiles }, request) =>
      named(await taskFiles.list(request), ({ filename }) => filename.replace(/\.md$/, '')),
  },
]

const records = Array.from({ length: 13 }, (_, index) => `r${String(index).padStart(2, '0')}`)
const isChanging = (name: string): boolean => Number(name.slice(1)) % 4 === 2

const fill = async (t: Harness, { save }: PagedList): Promise<void> => {
  for (const name of records) {
    await save(t.backend, name)
    await t.advance(10)
  }
}

const foreignCursors = (): string[] => {
  const parts: JsonValue[] = [{}, null, true, 'x', 1]
  const keys = [1, 2, 3, 4].map((length) =>
    encodeCursor(Array.from({ length }, (_, index) => parts[index % 3] ?? null)),
  )
  return ['', ' ', 'garbage', 'ünïcode', '../../etc/passwd', encodeCursor([]), btoa('{}'), btoa('7'), ...keys]
}

export const paging = (clause: Clause): void => {
  for (const paged of lists) {
    const { title, list } = paged

    clause('C-ALL-8', `${title} in pages of any size gives what it gives at once`, async (t) => {
      await fill(t, paged)
      const whole = await list(t.backend, {})
      expect(whole.cursor).toBeNull()
      expect([...whole.items].sort()).toEqual(records)
      for (const limit of [1, 3, 12, 13, 14, 1000])
        expect((await everyPage((request) => list(t.backend, request), limit)).items).toEqual(whole.items)
    })

    clause(
      'C-ALL-8',
      `${title} gives a record that does not change exactly once, whatever happens meanwhile`,
      async (t) => {
        await fill(t, paged)
        const peer = await t.peer()
        const { items } = await everyPage(
          (request) => list(t.backend, request),
          2,
          async (page) => {
            await t.advance(10)
            if (page > 6) return
            for (const name of records.filter(isChanging)) await paged.save(t.backend, name, `change ${page}`)
            await paged.save(peer, `a${page}`)
            await paged.save(peer, `z${page}`)
          },
        )
        const unchanged = records.filter((name) => !isChanging(name))
        expect(items.filter((name) => unchanged.includes(name)).sort()).toEqual(unchanged)
      },
    )

    clause('C-ALL-8', `${title} goes on from a cursor in another opening`, async (t) => {
      await fill(t, paged)
      const whole = await list(t.backend, {})
      const first = await list(t.backend, { limit: 5 })
      const backend = await t.reopen()
      const rest = await list(backend, { cursor: first.cursor ?? '' })
      expect([...first.items, ...rest.items]).toEqual(whole.items)
    })

    clause('C-ALL-8', `${title} refuses a cursor that it did not give out`, async ({ backend }) => {
      await paged.save(backend, 'r01')
      for (const cursor of foreignCursors()) await refused(list(backend, { cursor }), 'invalid')
    })

    clause('C-ALL-8', `${title} refuses a limit outside 1 to 1000`, async ({ backend }) => {
      for (const limit of [0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
        await refused(list(backend, { limit }), 'invalid')
    })
  }
}
