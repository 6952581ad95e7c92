import {
  type Completion,
  CompletionInput,
  type CompletionSaveResult,
  type CompletionStore,
  canExist,
  checkCompletionNames,
  dedupKey,
  isStoreError,
  makePage,
  type Page,
  type PageRequest,
  pageLimit,
  parseInput,
  parseJson,
  StoreError,
} from '@nexus/core'
import type { z } from 'zod'
import type { FallbackTools } from './fallback-host-state.ts'
import type { Journal } from './journal.ts'
import { identityOf, type JournaledCompletion, type JournalView } from './journal-view.ts'

type Input = z.output<typeof CompletionInput>

const isSame = ({ record: former }: JournaledCompletion, input: Input): boolean =>
  former.summary === input.summary &&
  former.reportId === input.reportId &&
  JSON.stringify(former.payload) === JSON.stringify(input.payload)

/** Marks a place in what an outage wrote, which is nowhere in the backend's own lists. */
const mark = 'journal'

/** The slot before which a page of an outage goes on; null at the start, NaN in a list of the backend. */
const placeOf = ({ cursor }: PageRequest): number | null => {
  if (cursor === undefined) return null
  const key = parseJson(Buffer.from(cursor, 'base64url').toString('utf8'))
  const [kind, place] = key.ok && Array.isArray(key.value) ? key.value : []
  return kind === mark && typeof place === 'number' ? place : Number.NaN
}

const brokenOff = (): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: 'The database went away or came back while this list was read; read it from its start.',
  })

const pageOf = (found: readonly JournaledCompletion[], request: PageRequest): Page<Completion> => {
  const before = placeOf(request) ?? Number.POSITIVE_INFINITY
  if (Number.isNaN(before)) throw brokenOff()
  const rows = found.filter(({ slot }) => slot < before).slice(0, pageLimit(request) + 1)
  return {
    ...makePage(rows, request, { read: ({ record }) => ({ ok: true, item: record }), key: ({ slot }) => [mark, slot] }),
    stale: true,
  }
}

/** What the outage wrote, latest first. */
const latestFirst = (view: JournalView | null): JournaledCompletion[] =>
  [...(view?.completions.values() ?? [])].reverse()

const checkNames = (input: Input): void => {
  try {
    checkCompletionNames(input)
  } catch (error) {
    // A name that we would not give may be there all the same, and that cannot be asked now.
    if (!isStoreError(error, 'invalid')) throw error
    throw new StoreError({
      code: 'unavailable',
      message: `${error.message} Whether it is there already is not known now.`,
    })
  }
}

const journaledSave = (
  journal: Journal,
  { id, input, at, sent }: { id: string; input: Input; at: number; sent: boolean },
) =>
  journal.append<CompletionSaveResult>((view) => {
    const former = view?.completions.get(identityOf(input))
    const answer = { dedupKey: dedupKey(input), journaled: true } as const
    if (former && isSame(former, input)) return { answer: { status: 'unchanged', ...answer }, record: null }
    if (!former) checkNames(input)
    return {
      answer: { status: former ? 'updated' : 'created', ...answer },
      record: {
        journaled: {
          operation: { id, kind: 'completion-save', completion: input },
          at,
          sent,
          base: { known: 'nothing' },
        },
      },
    }
  })

/** Completions that live on one backend, and in the journal while that is down. [C-ROUTE-9] */
export const createFallbackCompletions = ({ outage, ids, now }: FallbackTools): CompletionStore => ({
  async save(completion, options) {
    // The caller may change its object meanwhile; what is sent twice and journaled is one report.
    const input = structuredClone(parseInput(CompletionInput, completion, 'completion'))
    const id = ids.next()
    return outage.write<CompletionSaveResult>({
      options,
      direct: (operations, timeoutMs) => operations.saveCompletion(id, input, { signal: options?.signal, timeoutMs }),
      journaled: (journal, sent) => journaledSave(journal, { id, input, at: now(), sent }),
    })
  },
  scan: (filter = {}, options) =>
    outage.read<Page<Completion>>({
      options,
      direct({ completions }, bounded) {
        const place = placeOf(filter)
        if (place !== null && !Number.isNaN(place)) throw brokenOff()
        return completions.scan(filter, bounded)
      },
      overlay(view) {
        const { issueNumber, project } = filter
        const seen = new Set<string>()
        const latest = latestFirst(view).filter(({ record }) => {
          if (issueNumber !== undefined && record.issueNumber !== issueNumber) return false
          if (project !== undefined && record.project !== project) return false
          const issue = JSON.stringify([record.project, record.issueNumber])
          if (seen.has(issue)) return false
          seen.add(issue)
          return true
        })
        return pageOf(latest, filter)
      },
    }),
  history: (issueNumber, filter = {}, options) =>
    outage.read<Page<Completion>>({
      options,
      direct({ completions }, bounded) {
        const place = placeOf(filter)
        if (place !== null && !Number.isNaN(place)) throw brokenOff()
        return completions.history(issueNumber, filter, bounded)
      },
      overlay(view) {
        const { project } = filter
        const found = latestFirst(view).filter(
          ({ record }) =>
            canExist(issueNumber) &&
            record.issueNumber === issueNumber &&
            (project === undefined || record.project === project),
        )
        return pageOf(found, filter)
      },
    }),
  assign: (key, project, options) =>
    outage.guarded('completions', ({ completions }) => completions.assign(key, project, options)),
  delete: (key, options) => outage.guarded('completions', ({ completions }) => completions.delete(key, options)),
})
