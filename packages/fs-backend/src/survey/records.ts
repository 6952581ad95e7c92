import { join } from 'node:path'
import { type CorruptEntry, isStoreError, type StoreName, storeNames } from '@nexus/core'
import { createRecords } from '../completions/record.ts'
import { objectOf, readDocument, textOf } from '../documents.ts'
import { createInboxLayout, inboxNames } from '../inbox/inbox-layout.ts'
import { createRecords as createInboxRecords } from '../inbox/record.ts'
import { recordName, taskStates } from '../layout.ts'
import type { FsTools } from '../tools.ts'

/** Reads one record. Null where it is readable, or gone. */
type Check = () => Promise<CorruptEntry | null>

/** What lies in a store, listed no further than is asked for. */
type Checks = AsyncGenerator<Check>

const documentCheck =
  ({ reading }: FsTools, path: string, name: string, mustBeObject: boolean): Check =>
  async () => {
    const document = await readDocument(reading, path)
    const found = document && (mustBeObject ? objectOf(document) : document.parsed)
    return document && found && !found.ok ? { name, place: path, reason: found.reason, rev: document.rev } : null
  }

async function* jsonChecks(tools: FsTools, folder: string, mustBeObject: boolean): Checks {
  for (const file of await tools.reading.files(folder)) {
    const name = recordName.json(file)
    if (name !== null) yield documentCheck(tools, join(folder, file), name, mustBeObject)
  }
}

async function* completionChecks(tools: FsTools): Checks {
  const { layout, reading } = tools
  const records = createRecords(tools)
  for (const project of await reading.folders(layout.projects))
    for (const issue of await reading.folders(layout.issues(project)))
      for (const file of await reading.files(join(layout.issues(project), issue)))
        yield async () => {
          const found = (await records.at(project, join(layout.issues(project), issue, file)))?.found
          return found && !found.ok ? found.corrupt : null
        }
}

async function* taskChecks({ layout, reading }: FsTools): Checks {
  for (const project of await reading.folders(layout.projects))
    for (const state of taskStates)
      for (const name of await reading.files(layout.tasks(project, state))) {
        if (recordName.task(name) === null) continue
        const place = layout.task(project, state, name)
        yield async () => {
          const file = await reading.read(place)
          return file && textOf(file.bytes) === null ? { name, place, reason: 'is not UTF-8', rev: '' } : null
        }
      }
}

async function* inboxChecks(tools: FsTools): Checks {
  const inbox = createInboxLayout(tools.layout)
  const records = createInboxRecords(tools, inbox)
  for (const file of await tools.reading.files(inbox.records)) {
    const name = inboxNames.parseRecord(file)
    if (!name) continue
    yield async () => {
      try {
        await records.load(name)
        return null
      } catch (error) {
        if (!isStoreError(error, 'corrupt')) throw error
        return { name: name.id, place: error.place ?? inbox.record(name), reason: error.message, rev: error.rev ?? '' }
      }
    }
  }
}

const checksOf: Readonly<Record<StoreName, (tools: FsTools) => Checks>> = {
  workflows: (tools) => jsonChecks(tools, tools.layout.workflows, true),
  hostState: (tools) => jsonChecks(tools, tools.layout.hostState, false),
  completions: completionChecks,
  taskFiles: taskChecks,
  inbox: inboxChecks,
}

/** Records that cannot be read, of the first `most` of each store. */
export const unreadableRecords = async (tools: FsTools, most: number | null) => {
  const entries: CorruptEntry[] = []
  let [looked, isAll] = [0, true]
  for (const store of storeNames) {
    let ofStore = 0
    for await (const check of checksOf[store](tools)) {
      if (ofStore === most) isAll = false
      if (ofStore === most) break
      const entry = await check()
      if (entry) entries.push(entry)
      ofStore += 1
    }
    looked += ofStore
  }
  return { entries, looked, isAll }
}

/**
 * Which stores have records here. Of completions and the inbox only those that were taken in: summaries that agents drop and
 * task files that people drop lie on the disk in every routing.
 */
export const keptStores = async (tools: FsTools): Promise<Record<StoreName, boolean>> => {
  const hasAny = async (store: StoreName): Promise<boolean> => {
    for await (const _ of checksOf[store](tools)) return true
    return false
  }
  return {
    workflows: await hasAny('workflows'),
    completions: await hasAny('completions'),
    hostState: await hasAny('hostState'),
    taskFiles: await hasAny('taskFiles'),
    inbox: await hasAny('inbox'),
  }
}
