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
    return row ? { text: row.data, reading: readRow(row) } : null
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
    replace,
    create,
    save: (key: string, text: string, call: Call): Promise<Rev | null> =>
      saveCoalesced({ key, text, id: call.id ?? null }, call),
  }
}

export type StateRows = ReturnType<typeof createStateRows>
