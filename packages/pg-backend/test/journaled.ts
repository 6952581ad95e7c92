import type {
  Backend,
  JournaledOperation,
  JsonValue,
  Operation,
  OperationOptions,
  ReplayResult,
  StateBase,
} from '@nexus/core'
import type { PgHarness } from './harness.ts'
import { aCompletion, present } from './samples.ts'

/** Its replay takes one operation. */
export const operationsOf = (backend: Backend) => {
  const operations = present(backend.operations)
  return {
    ...operations,
    replay: async (...[entry, options]: [JournaledOperation, OperationOptions?]): Promise<ReplayResult> =>
      present((await operations.replay([entry], options))[0]),
  }
}

export const save = (value: JsonValue, id = 'o1'): Operation => ({ id, kind: 'state-save', key: 'agents', value })
export const patch = (entries: Record<string, JsonValue>, remove: string[] = []): Operation => ({
  id: 'o1',
  kind: 'state-patch',
  key: 'agents',
  entries,
  remove,
})
export const report = (given: Parameters<typeof aCompletion>[0] = {}): Operation => ({
  id: 'o1',
  kind: 'completion-save',
  completion: aCompletion(given),
})
export const saw = (value: JsonValue): StateBase => ({ known: 'value', value })
export const nothing: StateBase = { known: 'nothing' }
export const day = 24 * 3600 * 1000

export const journaled = (
  { clock }: PgHarness,
  operation: Operation,
  given: Partial<JournaledOperation> = {},
): JournaledOperation => ({ operation, at: clock.now(), sent: true, base: nothing, ...given })

export const applied = async ({ sql }: PgHarness): Promise<string[]> =>
  (await sql.query<{ id: string }>('SELECT id FROM nexus_applied ORDER BY id')).rows.map(({ id }) => id)

export const conflicts = async ({ backend }: PgHarness): Promise<unknown[]> =>
  (await operationsOf(backend).conflicts()).items.map(({ id, at, ...rest }) => rest)

export const copies = async ({ sql }: PgHarness): Promise<unknown[]> =>
  (await sql.query('SELECT key, data, reason FROM nexus_quarantine')).rows

export const changed = 'others changed it meanwhile'
