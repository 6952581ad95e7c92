import { join } from 'node:path'
import { type CompletionRecord, compactJson, type Reading } from '@nexus/core'
import { interpret, type StoredRecord } from '../completions/record.ts'
import { documentOf } from '../documents.ts'
import type { OpenFolder } from '../folder.ts'
import { isVisibleName, recordName } from '../layout.ts'
import { look } from '../look.ts'
import { createSlices } from '../slices.ts'
import type { FsTools } from '../tools.ts'
import type { Names } from './names.ts'
import { fromFolder, type Shelves, type Spot } from './page.ts'

export const movedOf = ({ found, written }: StoredRecord): Reading<CompletionRecord> => {
  if (!found.ok) return found
  const { rev: _, payload: __, ...fields } = found.item
  return { ok: true, item: { ...fields, seq: written?.seq ?? null, data: compactJson(written?.data ?? '') } }
}

/** Folders that are looked into at one time. */
const together = 256

export const createCompletionShelves = ({ layout, reading }: FsTools, names: Names): Shelves<CompletionRecord> => {
  /** The records of these folders, in order. */
  const listed = async (issues: string, folders: readonly string[]): Promise<[folder: string, file: string][]> => {
    const slices = createSlices()
    return reading.within<[string, string][]>(issues, [], async (folder) => {
      const found: [string, string][] = []
      for (const issue of folders) {
        if (slices.isOver()) await slices.next()
        const files = look.inside(folder, join(issues, issue), look.names) ?? []
        for (const file of files.sort()) if (recordName.json(file) !== null) found.push([issue, file])
      }
      return found
    })
  }

  const inProject = async function* (project: string, [issue, last = '']: Spot): AsyncGenerator<Spot> {
    const issues = layout.issues(project)
    const list = async function* (folders: readonly string[]): AsyncGenerator<Spot> {
      for (const [folder, file] of await listed(issues, folders))
        if (folder !== issue || file > last) yield [project, folder, file]
    }
    let waiting: string[] = []
    for await (const folder of fromFolder(issue, (name) => names.folders(issues, name))) {
      waiting.push(folder)
      if (waiting.length < together) continue
      yield* list(waiting)
      waiting = []
    }
    yield* list(waiting)
  }

  const readIn = (issues: OpenFolder, project: string, inOne: readonly Spot[]): Reading<CompletionRecord>[] => {
    const path = join(issues.path, inOne[0]?.[1] ?? '')
    const read = (folder: OpenFolder) =>
      inOne.flatMap(([, , file = '']) => {
        const found = look.read(folder, file)
        return found ? [movedOf(interpret(project, documentOf(join(path, file), found)))] : []
      })
    return look.inside(issues, path, read) ?? []
  }

  return {
    async *spots(after) {
      for await (const project of fromFolder(after[0], (name) => names.folders(layout.projects, name)))
        if (isVisibleName(project)) yield* inProject(project, project === after[0] ? after.slice(1) : [])
    },
    async readAll(spots, signal) {
      const found: Reading<CompletionRecord>[] = []
      const slices = createSlices(signal)
      for (const [project, inIt] of groupsOf(spots, ([name = '']) => name))
        await reading.within(layout.issues(project), undefined, async (folder) => {
          for (const [, inOne] of groupsOf(inIt, ([, issue = '']) => issue)) {
            if (slices.isOver()) await slices.next()
            found.push(...readIn(folder, project, inOne))
          }
        })
      return found
    },
  }
}

const groupsOf = (spots: readonly Spot[], nameOf: (spot: Spot) => string): Map<string, Spot[]> => {
  const groups = new Map<string, Spot[]>()
  for (const spot of spots) {
    const group = groups.get(nameOf(spot))
    if (group) group.push(spot)
    else groups.set(nameOf(spot), [spot])
  }
  return groups
}
