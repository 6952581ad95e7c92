import { join } from 'node:path'
import { createCatalog, type FactReader, type Known } from '../catalog.ts'
import { documentOf } from '../documents.ts'
import { isVisibleName, recordName } from '../layout.ts'
import { look } from '../look.ts'
import type { FsTools } from '../tools.ts'
import { interpret, latestOf, tieOf } from './record.ts'

/** What a page of the latest asks of one issue: where its latest record lies, and what cannot be read. */
interface IssueFacts {
  seq: number
  latest: string | null
  corrupt: readonly string[]
}

export interface LatestCandidate {
  key: [number, string]
  project: string
  /** Of its issue. */
  folder: string
  file: string
  /** Else it is one that cannot be read. */
  isLatest: boolean
}

/** The latest record of every issue of a project, and beside them what cannot be read. */
export type Latest = (project: string, signal: AbortSignal | undefined) => Promise<Iterable<LatestCandidate>>

const none: readonly string[] = []

/**
 * Nobody but this store writes in an issue's folder, and only by renaming, which shows in the folder's stamp: its records
 * are not asked one by one.
 */
const readerOf = (project: string): FactReader<IssueFacts> => ({
  isRecord: (name) => !name.startsWith('.'),
  isKind: (stat) => stat.isDirectory(),
  read: (issues, name) =>
    look.inside(issues, join(issues.path, name), (folder) => {
      const records = look.names(folder).flatMap((file) => {
        const found = recordName.json(file) === null ? null : look.read(folder, file)
        return found ? [{ ...interpret(project, documentOf(join(folder.path, file), found)), file }] : []
      })
      const latest = latestOf(records)
      const corrupt = records.filter(({ found }) => !found.ok).map(({ file }) => file)
      return {
        facts: { seq: latest?.seq ?? 0, latest: latest?.file ?? null, corrupt: corrupt.length > 0 ? corrupt : none },
      }
    }),
})

function* candidatesOf(project: string, issues: string, known: ReadonlyMap<string, Known<IssueFacts>>) {
  for (const [name, { facts }] of known) {
    const folder = join(issues, name)
    const candidate = (key: LatestCandidate['key'], file: string): LatestCandidate => {
      return { key, project, folder, file, isLatest: file === facts.latest }
    }
    for (const file of facts.corrupt) yield candidate([0, join(folder, file)], file)
    if (facts.latest !== null)
      yield candidate([facts.seq, tieOf({ seq: facts.seq, path: join(folder, facts.latest) })], facts.latest)
  }
}

export const createLatest = ({ layout, reading }: FsTools): Latest => {
  const catalog = createCatalog<IssueFacts>({ reading })
  return async (project, signal) => {
    if (!isVisibleName(project)) return []
    const issues = layout.issues(project)
    return candidatesOf(project, issues, await catalog.look(issues, readerOf(project), signal))
  }
}
