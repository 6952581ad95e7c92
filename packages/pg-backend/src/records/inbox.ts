import type { InboxRecord, Reading } from '@nexus/core'
import { canExist } from '@nexus/core'
import { z } from 'zod'
import { boundedLease, readTask } from '../inbox/rows.ts'
import { ownNumber } from '../inbox/task-ids.ts'
import * as sql from '../statements/records-inbox.ts'
import { columnsOf, ownersOf, readableOf, readPage, type Shelf } from './shelf.ts'

const Cursor = z.tuple([z.int32()])

const holdOf = (row: sql.InboxRecordRow): InboxRecord['hold'] => {
  const { status, is_leased, claimed_by: worker, lease_ms: leaseMs, is_running: bound } = row
  return status === 'processing' && is_leased && worker && leaseMs ? { worker, leaseMs, bound } : null
}

const readRow = (row: sql.InboxRecordRow): Reading<InboxRecord> => {
  const { claimedBy: _, ...task } = readTask(row)
  return { ok: true, item: { ...task, epoch: row.claim_epoch, hold: holdOf(row) } }
}

const isLive = ({ status }: InboxRecord): boolean => status === 'pending' || status === 'processing'

const identityOf = (record: InboxRecord): string | null => {
  const { idempotencyKey, project, workspace, filename } = record
  if (!isLive(record)) return null
  return JSON.stringify(idempotencyKey === null ? [project, workspace, filename] : [idempotencyKey])
}

/** Which of these records take which key; of several that would, one does. */
const takersOf = (records: readonly InboxRecord[]) => {
  const live = ownersOf(records, identityOf)
  const keyed = ownersOf(records, ({ idempotencyKey }) => idempotencyKey)
  const running = ownersOf(records, ({ hold, project, issueNumber }) =>
    hold?.bound ? JSON.stringify([project, issueNumber]) : null,
  )
  const held = ownersOf(records, ({ hold, project, workspace, filename }) =>
    hold ? JSON.stringify([project, workspace, filename]) : null,
  )
  return {
    key: (record: InboxRecord) => (keyed.has(record) ? record.idempotencyKey : null),
    live: (record: InboxRecord) => live.has(record),
    running: (record: InboxRecord) => running.has(record) && record.issueNumber !== null,
    held: (record: InboxRecord) => held.has(record),
  }
}

const idsOf = (keys: readonly string[]): [number[], string[]] => {
  const numbers = keys.map(ownNumber).filter((number) => number !== null)
  return [numbers, keys.filter((key) => ownNumber(key) === null && canExist(key))]
}

const valuesOf = (records: readonly InboxRecord[]): unknown[] => {
  const takers = takersOf(records)
  return columnsOf(records, [
    ({ id }) => ownNumber(id),
    ({ id }) => (ownNumber(id) === null ? id : null),
    ({ project }) => project,
    ({ workspace }) => workspace,
    ({ filename }) => filename,
    ({ markdown }) => markdown,
    ({ status }) => status,
    ({ priority }) => priority,
    ({ runAt }) => runAt,
    ({ issueNumber }) => issueNumber,
    takers.key,
    ({ attempts }) => attempts,
    ({ recoveries }) => recoveries,
    ({ maxAttempts }) => maxAttempts,
    ({ epoch }) => epoch,
    ({ cancelRequested }) => cancelRequested,
    ({ error }) => error,
    ({ createdAt }) => createdAt,
    ({ processedAt }) => processedAt,
    ({ hold }) => hold?.worker ?? null,
    ({ hold }) => hold?.leaseMs ?? null,
    takers.live,
    takers.running,
    takers.held,
  ])
}

export const inboxShelf: Shelf<'inbox'> = {
  read: (run, request, call) =>
    readPage(run, { statement: sql.pageTasks, cursor: Cursor, key: ({ id }) => id, read: readRow }, request, call),

  async find(run, keys, call) {
    return readableOf(await run(sql.findTaskRecords, idsOf(keys), call), readRow)
  },

  problem({ hold, status, issueNumber }) {
    if (hold && boundedLease(hold.leaseMs) !== hold.leaseMs)
      return `its lease of ${hold.leaseMs} ms is beyond a century`
    if (hold && status !== 'processing') return `it is ${status} and has a holder`
    return hold?.bound && issueNumber === null ? 'it runs for an issue and has none' : null
  },

  async write(run, how, records, call) {
    const [numbers] = idsOf(records.map(({ id }) => id))
    const values = [...valuesOf(records), Math.max(0, ...numbers)]
    const written = await run(sql.writeTasks[how], values, call)
    if (written.length === records.length) return
    await run(sql.makeRoom, [numbers], call)
    await run(sql.writeTasks[how], values, call)
  },

  async displace(run, records, call) {
    const takers = takersOf(records)
    const values = columnsOf(records, [
      ({ project }) => project,
      ({ workspace }) => workspace,
      ({ filename }) => filename,
      ({ issueNumber }) => issueNumber,
      takers.key,
      takers.live,
      takers.running,
      takers.held,
    ])
    const [numbers] = idsOf(records.map(({ id }) => id))
    await run(sql.makeRoom, [numbers], call)
    await run(sql.displaceTasks, values, call)
  },

  async remove(run, keys, call) {
    await run(sql.removeTaskRecords, idsOf(keys), call)
  },
}
