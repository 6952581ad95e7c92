import { isVisibleName } from '../layout.ts'
import type { Locating } from './location.ts'
import type { Places } from './places.ts'
import type { Records, TaskRecord } from './record.ts'

type Named = Pick<TaskRecord, 'project' | 'workspace' | 'filename' | 'idempotencyKey'>

const isSameName = (a: Named, b: Named): boolean =>
  a.project === b.project && a.workspace === b.workspace && a.filename === b.filename

/** Whether the task lives, as far as its identity is concerned: a key is held until purge. */
export const isIdentityHeld = (locating: Locating, task: Named) => async (id: string) =>
  (task.idempotencyKey === null ? await locating.locateLive(id) : await locating.locate(id)) !== null

/** A live task of that name which registered no identity, because a person or another program made it. */
export const foreignTwin = async (
  { places, records }: { places: Places; records: Records },
  task: Named & { id: string },
): Promise<string | null> => {
  if (task.idempotencyKey !== null) return null
  for (const { id, epoch } of await places.processing()) {
    if (id === task.id) continue
    const record = await records.load({ id, version: epoch - 1 })
    if (record && record.idempotencyKey === null && isSameName(record, task)) return id
  }
  const isPossible = task.workspace === '' && task.filename.endsWith('.md') && isVisibleName(task.filename)
  const file = isPossible ? await places.pendingAt(task.project, task.filename) : null
  return file?.handMade ? file.id : null
}
