import { dedupKey, isJsonObject, projectDedupKey } from '@nexus/core'
import { encodeJson, readDocument, type StoredDocument } from '../documents.ts'
import type { Decision } from '../revisions/revisions.ts'
import type { FsTools } from '../tools.ts'
import type { Identity, Records } from './record.ts'

/** Which project holds a documented dedup key: the first one does, as long as it has a record under it. [C-COMPLETION-2] */
export interface DedupKeys {
  /** The key for a record that is about to be created. */
  claim(identity: Identity): Promise<string>
  /** Whether the key of a record just written is still its project's. */
  isHeld(identity: Identity, key: string): Promise<boolean>
  /** The identity behind a key, as far as one can tell without its record. */
  find(key: string): Promise<Identity | null>
}

const holderOf = (document: StoredDocument | null): string | null => {
  const value = document?.parsed.ok ? document.parsed.value : undefined
  return isJsonObject(value) && typeof value['project'] === 'string' ? value['project'] : null
}

const partsOf = (key: string): Omit<Identity, 'project'> | null => {
  const [issueNumber, agentType, status, ...rest] = key.split(':')
  if (!issueNumber || !agentType || !status || rest.length > 0) return null
  return { issueNumber, agentType, status }
}

export const createDedupKeys = (tools: FsTools, records: Records): DedupKeys => {
  const { layout, reading, revisions, clock } = tools

  const holds = async (identity: Identity, key: string): Promise<boolean> => {
    const record = await records.read(identity)
    return record !== null && (!record.found.ok || record.found.item.dedupKey === key)
  }

  const give = (key: string, project: string, document: StoredDocument | null) => ({
    kind: 'put' as const,
    path: layout.dedupKey(key),
    bytes: Buffer.from(encodeJson({ dedup_key: key, project })),
    modified: new Date(clock.now()),
    base: document?.stat ?? null,
  })

  /** Takes the key where nobody has a record under it. Resolves to who had it before, or to null where it is refused. */
  const take = (identity: Identity, key: string): Promise<{ before: string } | null> =>
    revisions.commit<{ before: string } | null>(`dedup/${key}`, async () => {
      const document = await readDocument(reading, layout.dedupKey(key))
      const before = holderOf(document) ?? identity.project
      if (document && before === identity.project) return { answer: { before } }
      if (before !== identity.project && (await holds({ ...identity, project: before }, key))) return { answer: null }
      return { answer: { before }, change: give(key, identity.project, document) }
    })

  const giveBack = (key: string, from: string, to: string): Promise<void> =>
    revisions.commit<void>(`dedup/${key}`, async (): Promise<Decision<void>> => {
      const document = await readDocument(reading, layout.dedupKey(key))
      return holderOf(document) === from
        ? { answer: undefined, change: give(key, to, document) }
        : { answer: undefined }
    })

  return {
    async claim(identity) {
      const key = dedupKey(identity)
      const taken = await take(identity, key)
      if (!taken) return projectDedupKey(identity)
      // Who had it may have written its record since we looked; it looks again after writing, so one of us yields.
      const isLate = taken.before !== identity.project && (await holds({ ...identity, project: taken.before }, key))
      if (!isLate) return key
      await giveBack(key, identity.project, taken.before)
      return projectDedupKey(identity)
    },
    async isHeld(identity, key) {
      if (key !== dedupKey(identity)) return true
      return holderOf(await readDocument(reading, layout.dedupKey(key))) === identity.project
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
