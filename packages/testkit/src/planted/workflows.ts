import { encodeCursor, isJsonObject, isStoreError, parseJson, StoreError, type Workflow } from '@nexus/core'
import { type PlantedBug, plantIn } from './bug.ts'

const bug = plantIn('workflows')

export const workflowBugs: PlantedBug[] = [
  bug('C-WORKFLOW-1', 'members that we do not know are dropped', ({ intact }) => ({
    save: ({ data, ...workflow }, options) =>
      intact.save({ ...workflow, data: data['id'] === undefined ? {} : { id: data['id'] } }, options),
  })),
  bug('C-WORKFLOW-2', 'a stale save wins', ({ intact }) => ({
    save: (workflow, options) => intact.save(workflow, { ...options, ifRev: undefined }),
  })),
  bug('C-WORKFLOW-3', 'a paused workflow may complete', ({ intact, data }) => ({
    async save(workflow, options) {
      const present = data.workflows.get(workflow.id)
      if (present?.state !== 'paused' || workflow.state !== 'completed') return intact.save(workflow, options)
      const running = await intact.save({ ...workflow, state: 'running' }, options)
      return running.status === 'saved' ? intact.save(workflow, { ...options, ifRev: running.rev }) : running
    },
  })),
  bug('C-WORKFLOW-3', 'a refused step is written all the same', ({ intact, data }) => ({
    async save(workflow, options) {
      const row = data.workflows.get(workflow.id)
      try {
        return await intact.save(workflow, options)
      } catch (error) {
        if (row && isStoreError(error, 'invalid')) data.workflows.set(row.id, { ...row, state: workflow.state })
        throw error
      }
    },
  })),
  bug('C-WORKFLOW-4', 'what is completed runs again unasked', ({ intact }) => ({
    save: (workflow, options) => intact.save(workflow, { ...options, reopen: true }),
  })),
  bug('C-WORKFLOW-5', 'the project is read from the id', ({ intact }) => ({
    async list({ project, ...filter } = {}, options) {
      const page = await intact.list(filter, options)
      const isOf = ({ id }: Workflow): boolean => project === undefined || id.split('-')[0] === project
      return { ...page, items: page.items.filter(isOf) }
    },
  })),
  bug('C-WORKFLOW-5', 'the filter by state is ignored', ({ intact }) => ({
    list: ({ state: _, ...filter } = {}, options) => intact.list(filter, options),
  })),
  bug('C-WORKFLOW-5', 'a full page is never the last', ({ intact }) => ({
    async list(filter = {}, options) {
      const page = await intact.list(filter, options)
      const last = page.items.at(-1)
      if (!last || filter.limit !== page.items.length) return page
      return { ...page, cursor: page.cursor ?? encodeCursor([last.createdAt.getTime(), last.id]) }
    },
  })),
  bug('C-WORKFLOW-6', 'live states are counted as floors', ({ intact }) => ({
    counts: async (options) =>
      Object.fromEntries(
        Object.entries(await intact.counts(options)).map(([state, n]) => [
          state,
          typeof n === 'number' ? { atLeast: n } : n,
        ]),
      ),
  })),
  bug('C-WORKFLOW-7', 'delete ignores the rev', ({ intact }) => ({
    delete: (id, options) => intact.delete(id, { signal: options?.signal }),
  })),
  bug('C-ALL-2', 'a caller’s mistake may have been applied', ({ intact }) => ({
    async save(workflow, options) {
      try {
        return await intact.save(workflow, options)
      } catch (error) {
        if (!isStoreError(error, 'invalid')) throw error
        throw new StoreError({ code: error.code, message: error.message, outcome: 'unknown' })
      }
    },
  })),
  bug('C-ALL-4', 'a rev ignores what another program wrote into the document', ({ intact, data }) => {
    const ours = new Map<string, string>()
    return {
      async save(workflow, options) {
        const text = ours.get(workflow.id)
        const row = data.workflows.get(workflow.id)
        if (row && text !== undefined) data.workflows.set(row.id, { ...row, text })
        const result = await intact.save(workflow, options)
        const saved = data.workflows.get(workflow.id)
        if (saved) ours.set(saved.id, saved.text)
        return result
      },
    }
  }),
  bug('C-ALL-10', 'the state in the document hides the column', ({ intact, data }) => ({
    async load(id, options) {
      const workflow = await intact.load(id, options)
      const parsed = parseJson(data.workflows.get(id)?.text ?? '')
      const state = parsed.ok && isJsonObject(parsed.value) ? parsed.value['state'] : undefined
      return workflow && { ...workflow, state: typeof state === 'string' ? state : workflow.state }
    },
  })),
  bug('C-ALL-9', 'unreadable workflows are not listed', ({ intact }) => ({
    list: async (filter, options) => ({ ...(await intact.list(filter, options)), corrupt: [] }),
  })),
]
