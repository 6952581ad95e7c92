import {
  canExist,
  checkName,
  type HostStateEntry,
  nameProblem,
  parseJson,
  type Reading,
  type Rev,
  readable,
} from '@nexus/core'
import { createCoalesced } from './coalesce.ts'
import { hashOf, isUnreadableRev, unreadableRev } from './rev.ts'
import { readDate } from './rows.ts'
import * as sql from './statements/host-state.ts'
import type { Call, PgTools } from './tools.ts'

export interface StoredState {
  text: string
  reading: Reading<HostStateEntry>
}

const readRow = ({ key, data, updated_at, hash }: sql.HostStateRow): Reading<HostStateEntry> => {
  const parsed = parseJson(data)
  if (parsed.ok)
    return { ok: true, item: { key, value: parsed.value, rev: hash, updatedAt: readDate(updated_at) ?? new Date(0) } }
  const place = `nexus_host_state key=${key}`
  return { ok: false, corrupt: { name: key, place, reason: parsed.reason, rev: unreadableRev(hash) } }
}

const stateOf = (row: sql.HostStateRow): StoredState => ({ text: row.data, reading: readRow(row) })

interface Load {
  key: string
  /** Any number of calls may load one key together. */
  nth: number
}

interface Found {
  stored: StoredState | null
}

interface Replacement {
  key: string
  text: string
  rev: Rev
  reason?: string | undefined
}

interface Save {
  key: string
  text: string
  /** The operation, if it is one. */
  id: string | null
}

/** The verbs' one way to the rows. */
export const createStateRows = ({ run }: Pick<PgTools, 'run'>) => {
  const read = async (key: string, call: Call): Promise<StoredState | null> => {
    if (!canExist(key)) return null
    const [row] = await run(sql.loadHostState, [key], call)
    return row ? stateOf(row) : null
  }

  const loadOne = async ({ key }: Load, call: Call): Promise<Found> => ({ stored: await read(key, call) })

  const loadMany = async (loads: readonly Load[], call: Call): Promise<Found[]> => {
    const keys = [...new Set(loads.map(({ key }) => key))].filter(canExist)
    const rows = new Map((await run(sql.loadHostStates, [keys], call)).map((row) => [row.key, stateOf(row)]))
    return loads.map(({ key }) => ({ stored: rows.get(key) ?? null }))
  }

  let loads = 0
  const loadCoalesced = createCoalesced({ keyOf: ({ nth }: Load) => `${nth}`, single: loadOne, batch: loadMany })

  const load = async (key: string, call: Call): Promise<StoredState | null> => {
    loads += 1
    return (await loadCoalesced({ key, nth: loads }, call)).stored
  }

  /** The rev written, or null where the content is no longer of that rev. `reason`: why a copy of it is kept. */
  const replace = async ({ key, text, rev, reason }: Replacement, call: Call): Promise<Rev | null> => {
    const kept = reason ?? (isUnreadableRev(rev) ? 'unreadable, replaced by a save' : null)
    const values = [key, text, hashOf(rev), call.id ?? null, kept]
    const [row] = canExist(key) ? await run(sql.replaceHostState, values, call) : []
    return row?.hash ?? null
  }

  const create = async (key: string, text: string, call: Call): Promise<Rev | null> => {
    checkName('stateKey', key)
    const [row] = await run(sql.createHostState, [key, text, call.id ?? null], call)
    return row?.hash ?? null
  }

  /** Whatever is there, unless it cannot be read. */
  const overwrite = async (key: string, text: string, call: Call): Promise<Rev | null> => {
    const present = await read(key, call)
    return present ? replace({ key, text, rev: readable(present.reading).rev }, call) : create(key, text, call)
  }

  const saveOne = async ({ key, text, id }: Save, call: Call): Promise<Rev | null> => {
    const [row] = nameProblem('stateKey', key) === null ? await run(sql.saveHostState, [key, text, id], call) : []
    return row?.hash ?? overwrite(key, text, { ...call, id: id ?? undefined })
  }

  const saveMany = async (saves: readonly Save[], call: Call): Promise<(Rev | null)[]> => {
    const fitting = saves.filter(({ key }) => nameProblem('stateKey', key) === null)
    const values = [fitting.map(({ key }) => key), fitting.map(({ text }) => text), fitting.map(({ id }) => id)]
    const revs = new Map((await run(sql.saveHostStates, values, call)).map(({ key, hash }) => [key, hash]))
    return saves.map(({ key }) => revs.get(key) ?? null)
  }

  const saveCoalesced = createCoalesced({ keyOf: ({ key }: Save) => key, single: saveOne, batch: saveMany })

  return {
    read,
    load,
    replace,
    create,
    save: (key: string, text: string, call: Call): Promise<Rev | null> =>
      saveCoalesced({ key, text, id: call.id ?? null }, call),
  }
}

export type StateRows = ReturnType<typeof createStateRows>
