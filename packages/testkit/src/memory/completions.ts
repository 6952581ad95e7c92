import type { Completion, CompletionStore, PageRequest } from '@nexus/core'
import {
  CompletionInput,
  checkCompletionNames,
  checkName,
  contentRev,
  dedupKey,
  deleteRefusal,
  isJsonObject,
  makePage,
  parseInput,
  parseJson,
  projectDedupKey,
  type Reading,
  readCursor,
} from '@nexus/core'
import { z } from 'zod'
import type { CompletionRow } from './data.ts'
import type { MemoryTools } from './tools.ts'

const Cursor = z.tuple([z.number(), z.number(), z.string()])
type Place = z.output<typeof Cursor>

const readRow = (row: CompletionRow): Reading<Completion> => {
  const { text, seq, ...fields } = row
  const rev = contentRev(seq, row.dedupKey, row.issueNumber, row.agentType, row.status, row.summary, text, row.reportId)
  const parsed = parseJson(text)
  if (parsed.ok && isJsonObject(parsed.value)) return { ok: true, item: { ...fields, payload: parsed.value, rev } }
  const reason = parsed.ok ? 'is not a JSON object' : parsed.reason
  return { ok: false, corrupt: { name: row.dedupKey, place: `memory completion ${row.dedupKey}`, reason, rev } }
}

/** Numbers begin with one: what is older than the order of saving comes before all of it. */
const placeOf = ({ seq, createdAt, dedupKey: key }: CompletionRow): Place => [seq ?? 0, createdAt.getTime(), key]

const latestFirst = (a: Place, b: Place): number =>
  b[0] - a[0] || b[1] - a[1] || Number(a[2] < b[2]) - Number(a[2] > b[2])

const pageOf = (rows: readonly CompletionRow[], request: PageRequest) => {
  const cursor = readCursor(request, Cursor)
  const rest = rows.filter((row) => !cursor || latestFirst(cursor, placeOf(row)) < 0)
  return makePage(rest, request, { read: readRow, key: placeOf })
}

/** The verbs' one way to the rows. */
const createRows = ({ data }: MemoryTools) => {
  const find = (identity: Pick<CompletionRow, 'project' | 'issueNumber' | 'agentType' | 'status'>) =>
    [...data.completions.values()].find(
      (row) =>
        row.project === identity.project &&
        row.issueNumber === identity.issueNumber &&
        row.agentType === identity.agentType &&
        row.status === identity.status,
    )

  const latestFirstOf = (filter: { issueNumber?: string | undefined; project?: string | null | undefined }) =>
    [...data.completions.values()]
      .filter(({ issueNumber }) => filter.issueNumber === undefined || issueNumber === filter.issueNumber)
      .filter(({ project }) => filter.project === undefined || project === filter.project)
      .sort((a, b) => latestFirst(placeOf(a), placeOf(b)))

  const keyFor = (input: z.output<typeof CompletionInput>): string =>
    data.completions.has(dedupKey(input)) ? projectDedupKey(input) : dedupKey(input)

  return { find, latestFirstOf, keyFor }
}

export const createMemoryCompletions = (tools: MemoryTools): CompletionStore => {
  const { data, context, checkOpen } = tools
  const { find, latestFirstOf, keyFor } = createRows(tools)
  return {
    async save(completion, options) {
      checkOpen(options)
      const input = parseInput(CompletionInput, completion, 'completion')
      const { payload, ...fields } = input
      const text = JSON.stringify(payload)
      const present = find(input)
      if (!present) checkCompletionNames(input)
      if (present?.text === text && present.summary === input.summary && present.reportId === input.reportId)
        return { status: 'unchanged', dedupKey: present.dedupKey }
      const savedAt = new Date(context.clock.now())
      const key = present?.dedupKey ?? keyFor(input)
      const createdAt = present?.createdAt ?? savedAt
      data.completions.set(key, { ...fields, text, dedupKey: key, seq: data.next(), createdAt, savedAt })
      return { status: present ? 'updated' : 'created', dedupKey: key }
    },
    async scan(filter = {}, options) {
      checkOpen(options)
      const seen = new Set<string>()
      const latest = latestFirstOf(filter).filter(({ project, issueNumber }) => {
        const group = JSON.stringify([project, issueNumber])
        return !seen.has(group) && seen.add(group)
      })
      return pageOf(latest, filter)
    },
    async history(issueNumber, filter = {}, options) {
      checkOpen(options)
      return pageOf(latestFirstOf({ issueNumber, project: filter.project }), filter)
    },
    async assign(key, project, options) {
      checkOpen(options)
      checkName('project', project)
      const row = data.completions.get(key)
      if (!row) return { status: 'absent' }
      if (row.project !== null) return { status: 'owned', project: row.project }
      if (find({ ...row, project })) return { status: 'taken' }
      data.completions.set(key, { ...row, project })
      return { status: 'assigned' }
    },
    async delete(key, options) {
      checkOpen(options)
      const row = data.completions.get(key)
      const refused = deleteRefusal(row ? readRow(row) : null, options?.ifRev)
      if (refused) return refused
      data.completions.delete(key)
      return { status: 'deleted' }
    },
  }
}
