import { siblingName } from '@nexus/core'
import { type PlantedBug, plantIn } from './bug.ts'

const bug = plantIn('taskFiles')

export const taskFileBugs: PlantedBug[] = [
  bug('C-ALL-3', 'a guarded save looks first and writes later', ({ intact }) => ({
    async save(file, { ifRev, ...options } = {}) {
      const present = await intact.load(file.project, file.filename, options)
      const current = present?.rev ?? null
      if (ifRev !== undefined && ifRev !== current) return { status: 'conflict', current }
      return intact.save(file, options)
    },
  })),
  bug('C-TASK-1', 'content is trimmed', ({ intact }) => ({
    save: (file, options) => intact.save({ ...file, content: file.content.trim() }, options),
  })),
  bug('C-TASK-1', 'a stale save wins', ({ intact }) => ({
    save: (file, options) => intact.save(file, { ...options, ifRev: undefined }),
  })),
  bug('C-TASK-2', 'load gives the oldest of duplicates', ({ intact, data }) => ({
    async load(project, filename, options) {
      const oldest = [...data.taskFiles.values()].find((row) => row.project === project && row.filename === filename)
      const { items } = await intact.list({ project, state: oldest?.state, limit: 1000 }, options)
      return items.filter((item) => item.filename === filename).at(-1) ?? null
    },
  })),
  bug('C-TASK-3', 'duplicates are listed once', ({ intact }) => ({
    async list(filter, options) {
      const page = await intact.list(filter, options)
      const first = new Map(page.items.toReversed().map((item) => [`${item.project}/${item.filename}`, item]))
      return { ...page, items: page.items.filter((item) => first.get(`${item.project}/${item.filename}`) === item) }
    },
  })),
  bug('C-TASK-3', 'the filter by issue is ignored', ({ intact }) => ({
    list: ({ issueNumber: _, ...filter } = {}, options) => intact.list(filter, options),
  })),
  bug('C-TASK-4', 'close overwrites what is closed already', ({ intact, data }) => ({
    async close(project, filename, options) {
      for (const row of data.taskFiles.values())
        if (row.project === project && row.filename === filename && row.state === 'closed')
          data.taskFiles.delete(row.id)
      return intact.close(project, filename, options)
    },
  })),
  bug('C-TASK-4', 'a name counts as taken only where the file goes', ({ intact, data }) => ({
    async close(project, filename, options) {
      const result = await intact.close(project, filename, options)
      const moved = result.status === 'moved' ? result.filename : ''
      const row = [...data.taskFiles.values()].find((file) => file.project === project && file.filename === moved)
      if (!row || !moved.endsWith('~3.md')) return result
      data.taskFiles.set(row.id, { ...row, filename: siblingName(filename, 2) })
      return { status: 'moved', filename: siblingName(filename, 2) }
    },
  })),
  bug('C-TASK-4', 'closing twice finds nothing', ({ intact }) => ({
    async close(project, filename, options) {
      const result = await intact.close(project, filename, options)
      return result.status === 'already' ? { status: 'absent' } : result
    },
  })),
  bug('C-TASK-5', 'only our own files are listed', ({ intact, data }) => {
    const isOurs = new Set<string>()
    return {
      async save(file, options) {
        const result = await intact.save(file, options)
        isOurs.add(`${file.project}/${file.filename}`)
        return result
      },
      async load(project, filename, options) {
        return isOurs.has(`${project}/${filename}`) ? intact.load(project, filename, options) : null
      },
      async list(filter, options) {
        const page = await intact.list(filter, options)
        return { ...page, items: page.items.filter((item) => isOurs.has(`${item.project}/${item.filename}`)) }
      },
      async delete(project, filename, options) {
        if (data.taskFiles.size > 0 && !isOurs.has(`${project}/${filename}`)) return { status: 'absent' }
        return intact.delete(project, filename, options)
      },
    }
  }),
  bug('C-TASK-6', 'delete ignores the rev', ({ intact }) => ({
    delete: (project, filename, options) => intact.delete(project, filename, { signal: options?.signal }),
  })),
]
