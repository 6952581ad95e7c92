import { dedupKey, isJsonObject, projectDedupKey } from '@nexus/core'
import { encodeJson, readDocument, type StoredDocument } from '../documents.ts'
import type { FsTools } from '../tools.ts'
import { type Identity, type Records, recordOf, type StoredRecord } from './record.ts'

/**
 * Which project holds a documented dedup key: the first one does, as long as it has a record under it. A key is claimed
 * before the record is made, so who finds it claimed and no record takes it over: with a fence, so that the record under
 * way is decided anew. What a killed process claimed goes to the next. [C-COMPLETION-2]
 */
export interface DedupKeys {
  /** For one save: its record gets the answer of the last call made since the record was looked at. */
  claimant(identity: Identity): () => Promise<string>
  /** The identity behind a key, as far as one can tell without its record. */
  find(key: string): Promise<Identity | null>
}

const holderOf = (document: StoredDocument | null): string | null => {
  const value = document?.parsed.ok ? document.parsed.value : undefined
  return isJsonObject(value) && typeof value['project'] === 'string' ? value['project'] : null
}

/** One that cannot be read may be. */
const isUnder = (key: string, record: StoredRecord | null): boolean =>
  record !== null && (!record.found.ok || record.found.item.dedupKey === key)

const partsOf = (key: string): Omit<Identity, 'project'> | null => {
  const [issueNumber, agentType, status, ...rest] = key.split(':')
  if (!issueNumber || !agentType || !status || rest.length > 0) return null
  return { issueNumber, agentType, status }
}

export const createDedupKeys = (tools: FsTools, records: Records): DedupKeys => {
  const { layout, reading, revisions, clock } = tools

  const give = (key: string, project: string, document: StoredDocument | null) => ({
    kind: 'put' as const,
    path: layout.dedupKey(key),
    bytes: Buffer.from(encodeJson({ dedup_key: key, project })),
    modified: new Date(clock.now()),
    base: document?.stat ?? null,
  })

  return {
    claimant(identity) {
      const key = dedupKey(identity)
      // Once each: of several that take a key over from one another, the last one keeps it.
      let mayTakeOver = true
      const isFree = async (holder: string | null): Promise<boolean> => {
        if (holder === null || holder === identity.project) return true
        const other = { ...identity, project: holder }
        if (!mayTakeOver || isUnder(key, await records.read(other))) return false
        mayTakeOver = false
        return !isUnder(key, await revisions.fenced(recordOf(other), () => records.read(other)))
      }
      // Also what is ours already is written again: it tells those who are about to take it over.
      return () =>
        revisions.commit<string>(`dedup/${key}`, async () => {
          const document = await readDocument(reading, layout.dedupKey(key))
          if (!(await isFree(holderOf(document)))) return { answer: projectDedupKey(identity) }
          return { answer: key, change: give(key, identity.project, document) }
        })
    },
    async find(key) {
      const slash = key.indexOf('/')
      const parts = partsOf(key.slice(slash + 1))
      if (!parts) return null
      const project = slash < 0 ? holderOf(await readDocument(reading, layout.dedupKey(key))) : key.slice(0, slash)
      return project === null ? null : { ...parts, project }
    },
  }
}
