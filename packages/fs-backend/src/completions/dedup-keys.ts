import { dedupKey, isJsonObject, projectDedupKey } from '@nexus/core'
import { z } from 'zod'
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
  /** Gives a key to a record that is to have it, whoever had it before. */
  give(key: string, identity: Identity): Promise<void>
}

const EntryIdentity = z.object({
  project: z.string(),
  issue_number: z.string(),
  agent_type: z.string(),
  status: z.string(),
})

const holderOf = (document: StoredDocument | null): string | null => {
  const value = document?.parsed.ok ? document.parsed.value : undefined
  return isJsonObject(value) && typeof value['project'] === 'string' ? value['project'] : null
}

/** One that cannot be read may be. */
const isUnder = (key: string, record: StoredRecord | null): boolean =>
  record !== null && (!record.found.ok || record.found.item.dedupKey === key)

const membersOf = ({ issueNumber, agentType, status }: Identity) => ({
  issue_number: issueNumber,
  agent_type: agentType,
  status,
})

const partsOf = (key: string): Omit<Identity, 'project'> | null => {
  const [issueNumber, agentType, status, ...rest] = key.split(':')
  if (!issueNumber || !agentType || !status || rest.length > 0) return null
  return { issueNumber, agentType, status }
}

/** What the entry is itself where it is another name of the key's record. */
const identityIn = (key: string, document: StoredDocument | null): Identity | null => {
  const value = document?.parsed.ok ? document.parsed.value : undefined
  const found = isJsonObject(value) && value['dedup_key'] === key ? EntryIdentity.safeParse(value) : null
  if (!found?.success) return null
  const { project, issue_number: issueNumber, agent_type: agentType, status } = found.data
  return { project, issueNumber, agentType, status }
}

export const createDedupKeys = (tools: FsTools, records: Records): DedupKeys => {
  const { layout, reading, revisions, clock } = tools

  const put = (key: string, project: string, document: StoredDocument | null, identity?: Identity) => ({
    kind: 'put' as const,
    path: layout.dedupKey(key),
    bytes: Buffer.from(encodeJson({ dedup_key: key, project, ...(identity && membersOf(identity)) })),
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
          return { answer: key, change: put(key, identity.project, document) }
        })
    },
    async find(key) {
      const document = await readDocument(reading, layout.dedupKey(key))
      const own = identityIn(key, document)
      if (own) return own
      const slash = key.indexOf('/')
      const parts = partsOf(key.slice(slash + 1))
      const project = slash < 0 ? holderOf(document) : key.slice(0, slash)
      return parts && project !== null ? { ...parts, project } : null
    },
    give: (key, identity) =>
      revisions.commit<void>(`dedup/${key}`, async () => {
        const document = await readDocument(reading, layout.dedupKey(key))
        const present = identityIn(key, document)
        if (present && recordOf(present) === recordOf(identity)) return { answer: undefined }
        return { answer: undefined, change: put(key, identity.project, document, identity) }
      }),
  }
}
