import type { CompletionStore, DeleteResult, Rev } from '@nexus/core'
import { CompletionInput, checkName, parseInput } from '@nexus/core'
import { decideDelete } from '../found.ts'
import { begun } from '../fs-errors.ts'
import { isVisibleName, summaryFile } from '../layout.ts'
import type { Decision } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import { createDedupKeys, type DedupKeys } from './dedup-keys.ts'
import type { Drops } from './drops.ts'
import { createMirror, type Mirror } from './mirror.ts'
import { createReads } from './reads.ts'
import { createRecords, type Identity, type Records, recordOf } from './record.ts'
import { createSave } from './save.ts'
import type { Seen } from './seen.ts'
import { createSequence } from './sequence.ts'

const createFindByKey =
  (keys: DedupKeys, records: Records) =>
  async (key: string): Promise<Identity | null> => {
    const identity = await keys.find(key)
    if (!identity || !isVisibleName(identity.project)) return null
    const record = await records.read(identity)
    return !record || (record.found.ok && record.found.item.dedupKey !== key) ? null : identity
  }

export interface CompletionParts {
  seen: Seen
  drops: Drops
}

export const createCompletions = (
  tools: FsTools,
  { seen, drops }: CompletionParts,
): { completions: CompletionStore; mirror: Mirror } => {
  const { layout, revisions, quarantine, checkOpen } = tools
  const records = createRecords(tools)
  const keys = createDedupKeys(tools, records)
  const saveRecord = createSave(tools, { records, keys, sequence: createSequence(tools) })
  const mirror = createMirror(tools, { records, seen, drops, save: saveRecord })

  const saveAndMirror: CompletionStore['save'] = async (completion, options) => {
    const result = await saveRecord(completion, options)
    await begun(() => mirror.refresh(completion.project, completion.issueNumber))
    return result
  }

  const findByKey = createFindByKey(keys, records)

  const decideGone = async (identity: Identity, ifRev: Rev | undefined): Promise<Decision<DeleteResult>> => {
    const present = await records.read(identity)
    const keep = async (): Promise<void> => {
      if (present && !present.found.ok)
        await quarantine.keep(present.document.path, present.document.bytes, present.found.corrupt.reason)
    }
    return decideDelete(present?.document ?? null, ifRev, keep)
  }

  const completions: CompletionStore = {
    ...createReads(tools, { records, seen, drops, save: saveAndMirror }),
    async save(completion, options) {
      checkOpen(options)
      const inHand = parseInput(CompletionInput, completion, 'completion')
      const { project, issueNumber } = inHand
      // A report that lies there already came first.
      if (isVisibleName(project) && isVisibleName(summaryFile(issueNumber)))
        await drops.import(
          { project, issueNumber, path: layout.summary(project, issueNumber) },
          { save: saveRecord },
          { ...options, inHand, isHome: true },
        )
      return saveAndMirror(completion, options)
    },
    async assign(key, project, options) {
      checkOpen(options)
      checkName('project', project)
      const found = await findByKey(key)
      return found ? { status: 'owned', project: found.project } : { status: 'absent' }
    },
    async delete(key, options) {
      checkOpen(options)
      const identity = await findByKey(key)
      if (!identity) return { status: 'absent' }
      const result = await revisions.commit(recordOf(identity), () => decideGone(identity, options?.ifRev), options)
      if (result.status === 'deleted') await begun(() => mirror.refresh(identity.project, identity.issueNumber))
      return result
    },
  }
  return { completions, mirror }
}
