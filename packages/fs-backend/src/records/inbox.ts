import { type InboxRecord, unfit } from '@nexus/core'
import { each } from '../each.ts'
import { ifPossible } from '../fs-errors.ts'
import { compareIds, isTaskId, registerKeys } from '../inbox/inbox-layout.ts'
import { createInboxTools, type InboxTools } from '../inbox/inbox-tools.ts'
import { isVisibleName } from '../layout.ts'
import type { FsTools } from '../tools.ts'
import { isSameRecord } from './fields.ts'
import { createInboxReading, type FoundTask } from './inbox-read.ts'
import { createInboxWriting } from './inbox-write.ts'
import { readShelves } from './page.ts'
import type { RecordsOf } from './store-records.ts'

const together = 8

const kinds: ReadonlySet<string> = new Set(['pending', 'processing', 'done', 'failed'])

const check = (record: InboxRecord): void => {
  const { id, project, status } = record
  if (!isTaskId(id)) throw unfit('inbox', record, 'on files an id is 1 to 32 of a-z and 0-9')
  if (!isVisibleName(project)) throw unfit('inbox', record, 'its project cannot be the name of a folder')
  if (!kinds.has(status)) throw unfit('inbox', record, `files have no place for the status ${JSON.stringify(status)}`)
  if (status === 'processing' && record.epoch === 0) throw unfit('inbox', record, 'it is held, but under no epoch')
}

type InboxReading = ReturnType<typeof createInboxReading>
type InboxWriting = ReturnType<typeof createInboxWriting>

const createPresent = ({ identities }: InboxTools, { whereAre, readNamed }: InboxReading, writing: InboxWriting) => {
  const present = async (ids: ReadonlySet<string>): Promise<Map<string, FoundTask>> => {
    const found = new Map<string, FoundTask>()
    await each(await whereAre(ids), together, async ([id, named]) => {
      const task = await readNamed(named)
      if (task) found.set(id, task)
    })
    return found
  }

  /** A task that is there gives up a key that one of these has now; those of the call are written anyway. */
  const giveUpKeys = async (records: readonly InboxRecord[]): Promise<void> => {
    const ids = new Set(records.map(({ id }) => id))
    const holders = new Map<string, string>()
    for (const { idempotencyKey } of records) {
      const holder = idempotencyKey === null ? null : await identities.owner(registerKeys.key(idempotencyKey))
      if (idempotencyKey !== null && holder !== null && !ids.has(holder)) holders.set(holder, idempotencyKey)
    }
    for (const [id, former] of await present(new Set(holders.keys())))
      if (former.record.idempotencyKey === holders.get(id))
        await writing.change(former, { ...former.record, idempotencyKey: null })
  }
  return { present, giveUpKeys }
}

export const createInboxRecords = (fsTools: FsTools): RecordsOf<'inbox'> => {
  const tools = createInboxTools(fsTools)
  const { taskIds } = tools
  const reading = createInboxReading(tools)
  const writing = createInboxWriting(tools)
  const { shelves, whereAre, orCorrupt } = reading
  const { present, giveUpKeys } = createPresent(tools, reading, writing)

  const write = async (records: readonly InboxRecord[]): Promise<void> => {
    for (const record of records) check(record)
    await ifPossible(tools.finishAll)
    await giveUpKeys(records)
    const greatest = records
      .map(({ id }) => id)
      .toSorted(compareIds)
      .at(-1)
    if (greatest !== undefined) await taskIds.raise(greatest)
    const found = await present(new Set(records.map(({ id }) => id)))
    await writing.create(records.filter(({ id }) => !found.has(id)))
    await each(records, together, async (record) => {
      const before = found.get(record.id)
      if (before && isSameRecord(before.record, record)) await writing.renew(before)
      else if (before) await writing.change(before, record)
    })
  }

  return {
    async read(page, options) {
      await ifPossible(tools.finishAll)
      return readShelves(shelves, page, options?.signal)
    },
    async find(ids) {
      const found: InboxRecord[] = []
      await ifPossible(tools.finishAll)
      await each(await whereAre(new Set(ids)), together, async ([, named]) => {
        const one = await orCorrupt(named)
        if (one?.ok) found.push(one.item)
      })
      return found
    },
    write,
    async remove(ids) {
      await ifPossible(tools.finishAll)
      await each((await present(new Set(ids))).values(), together, writing.remove)
    },
  }
}
