import type { Completion } from '@nexus/core'
import { type PlantedBug, plantIn } from './bug.ts'

const bug = plantIn('completions')

export const completionBugs: PlantedBug[] = [
  bug('C-COMPLETION-1', 'an update is answered as a creation', ({ intact }) => ({
    async save(completion, options) {
      const result = await intact.save(completion, options)
      return result.status === 'updated' ? { ...result, status: 'created' } : result
    },
  })),
  bug('C-COMPLETION-2', 'one project overwrites another of the same key', ({ intact, data }) => ({
    async save(completion, options) {
      const key = `${completion.issueNumber}:${completion.agentType}:${completion.status}`
      const holder = data.completions.get(key)
      if (holder) data.completions.set(key, { ...holder, project: completion.project })
      return intact.save(completion, options)
    },
  })),
  bug('C-COMPLETION-2', 'every key names its project', ({ intact }) => ({
    async save(completion, options) {
      const result = await intact.save(completion, options)
      return { ...result, dedupKey: `${completion.project}/${result.dedupKey}` }
    },
  })),
  bug('C-COMPLETION-3', 'the same report again is sorted as newest', ({ intact, data }) => ({
    async save(completion, options) {
      const result = await intact.save(completion, options)
      const row = data.completions.get(result.dedupKey)
      if (row && result.status === 'unchanged') data.completions.set(row.dedupKey, { ...row, seq: data.next() })
      return result
    },
  })),
  bug('C-COMPLETION-4', 'the same words of a later run are swallowed', ({ intact, data }) => ({
    async save(completion, options) {
      const text = JSON.stringify(completion.payload)
      const same = [...data.completions.values()].find(
        (row) => row.project === completion.project && row.text === text && row.summary === completion.summary,
      )
      return intact.save(same ? { ...completion, reportId: same.reportId } : completion, options)
    },
  })),
  bug('C-COMPLETION-4', 'an update keeps its old place in the order', ({ intact, data }) => ({
    async save(completion, options) {
      const before = new Map(data.completions)
      const result = await intact.save(completion, options)
      const row = data.completions.get(result.dedupKey)
      const old = before.get(result.dedupKey)
      if (row && old) data.completions.set(row.dedupKey, { ...row, seq: old.seq })
      return result
    },
  })),
  bug('C-COMPLETION-4', 'the same members in another order are the same payload', ({ intact }) => ({
    save: ({ payload, ...completion }, options) =>
      intact.save(
        { ...completion, payload: Object.fromEntries(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1))) },
        options,
      ),
  })),
  bug('C-COMPLETION-8', 'to be assigned is news', ({ intact, data }) => ({
    async assign(key, project, options) {
      const result = await intact.assign(key, project, options)
      const row = data.completions.get(key)
      if (row && result.status === 'assigned') data.completions.set(key, { ...row, seq: data.next() })
      return result
    },
  })),
  bug('C-COMPLETION-5', 'the report id is put into the payload', ({ intact }) => ({
    save: (completion, options) =>
      intact.save({ ...completion, payload: { ...completion.payload, report_id: completion.reportId } }, options),
  })),
  bug('C-COMPLETION-6', 'scan goes by the time of creation', ({ intact, data }) => ({
    async scan(filter = {}, options) {
      const latest = new Map<string, Completion>()
      const issues = new Set([...data.completions.values()].map(({ issueNumber }) => issueNumber))
      for (const issue of issues) {
        const { items } = await intact.history(issue, { project: filter.project }, options)
        for (const item of items.toReversed().sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime()))
          latest.set(JSON.stringify([item.project, issue]), item)
      }
      const page = await intact.scan(filter, options)
      return {
        ...page,
        items: page.items.map((item) => latest.get(JSON.stringify([item.project, item.issueNumber])) ?? item),
      }
    },
  })),
  bug('C-COMPLETION-6', 'no project means every project', ({ intact }) => ({
    scan: ({ project, ...filter } = {}, options) =>
      intact.scan(project === null ? filter : { ...filter, project }, options),
  })),
  bug('C-COMPLETION-7', 'history has the first-made first', ({ intact }) => ({
    async history(issueNumber, filter, options) {
      const page = await intact.history(issueNumber, filter, options)
      return { ...page, items: page.items.toReversed() }
    },
  })),
  bug('C-COMPLETION-8', 'assign takes a record from its owner', ({ intact, data }) => ({
    async assign(key, project, options) {
      const row = data.completions.get(key)
      if (row) data.completions.set(key, { ...row, project: null })
      return intact.assign(key, project, options)
    },
  })),
  bug('C-COMPLETION-8', 'assign gives a project two of one identity', ({ intact, data }) => ({
    async assign(key, project, options) {
      const result = await intact.assign(key, project, options)
      const row = data.completions.get(key)
      if (result.status !== 'taken' || !row) return result
      data.completions.set(key, { ...row, project })
      return { status: 'assigned' }
    },
  })),
  bug('C-COMPLETION-13', 'delete ignores the rev', ({ intact }) => ({
    delete: (key, options) => intact.delete(key, { signal: options?.signal }),
  })),
]
