import { openMemoryBackend } from '../memory/backend.ts'
import { createMemoryData } from '../memory/data.ts'
import { type PlantedBug, plantBackend, plantIn } from './bug.ts'

const clean = (text: string): string => text.replaceAll('\0', '').replaceAll(/\p{Surrogate}/gu, '')

export const everywhereBugs: PlantedBug[] = [
  {
    name: 'what was acknowledged is lost with the process',
    clause: 'C-ALL-1',
    plant: () => (context) => openMemoryBackend(context, createMemoryData()),
  },
  plantIn('inbox')('C-ALL-5', 'a colon in a project key is dropped silently', ({ intact }) => ({
    enqueue: (tasks, options) =>
      intact.enqueue(
        tasks.map((task) => ({ ...task, project: task.project.replaceAll(':', '') })),
        options,
      ),
  })),
  plantIn('taskFiles')('C-ALL-5', 'a path in a filename is shortened silently', ({ intact }) => ({
    save: (file, options) =>
      intact.save({ ...file, filename: file.filename.split('/').at(-1) ?? file.filename }, options),
  })),
  plantIn('hostState')('C-ALL-5', 'a control character in a key is dropped silently', ({ intact }) => ({
    save: (key, value, options) => intact.save(key.replaceAll(/\p{Cc}/gu, ''), value, options),
  })),
  plantIn('inbox')('C-ALL-6', 'U+0000 is dropped silently', ({ intact }) => ({
    enqueue: (tasks, options) =>
      intact.enqueue(
        tasks.map((task) => ({ ...task, markdown: clean(task.markdown) })),
        options,
      ),
  })),
  plantIn('taskFiles')('C-ALL-6', 'line ends are made alike', ({ intact }) => ({
    save: (file, options) => intact.save({ ...file, content: file.content.replaceAll('\r\n', '\n') }, options),
  })),
  plantIn('inbox')('C-ALL-8', 'a task is lost between two pages', ({ intact }) => ({
    async list(filter = {}, options) {
      if (filter.limit === undefined || !(filter.limit < 1000)) return intact.list(filter, options)
      const page = await intact.list({ ...filter, limit: filter.limit + 1 }, options)
      return { ...page, items: page.items.slice(0, filter.limit) }
    },
  })),
  plantIn('workflows')('C-ALL-8', 'pages go by offset', ({ intact }) => ({
    async list({ cursor, limit = 100, ...filter } = {}, options) {
      const offset = cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
      const all = await intact.list({ ...filter, limit: 1000 }, options)
      const next = offset + limit
      return {
        ...all,
        items: all.items.slice(offset, next),
        cursor: next < all.items.length ? Buffer.from(String(next)).toString('base64url') : null,
      }
    },
  })),
  plantIn('inbox')('C-ALL-8', 'a cursor that nobody gave out starts anew', ({ intact }) => ({
    list: ({ cursor, ...filter } = {}, options) =>
      intact.list({ ...filter, cursor }, options).catch(() => intact.list(filter, options)),
  })),
  {
    name: 'a capability that only some openings have',
    clause: 'C-ALL-11',
    plant: () => {
      let openings = 0
      return (context, data) => {
        openings += 1
        return { ...openMemoryBackend(context, data), capabilities: { manyHosts: false, mailbox: openings > 1 } }
      }
    },
  },
  plantBackend('C-ALL-12', 'a closed backend goes on', () => ({ async [Symbol.asyncDispose]() {} })),
  plantIn('inbox')('C-ALL-12', 'an aborted signal is not looked at', ({ intact }) => ({
    enqueue: (tasks) => intact.enqueue(tasks),
    counts: () => intact.counts(),
  })),
]
