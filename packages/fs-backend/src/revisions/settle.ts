import { join } from 'node:path'
import { encodeJson } from '../documents.ts'
import { createAsides, type SettleParts } from './asides.ts'
import type { Aside, RevisionLog } from './log.ts'
import { createMoves } from './moves.ts'
import type { Operation, Put, Revision } from './operation.ts'

/** Carries out revisions; whoever comes by may do it, any number of times. */
export interface Settle {
  /** Does what the revision says and makes it durable; `already` where others did, durable or not. */
  finish(log: RevisionLog, number: number, revision: Revision): Promise<'done' | 'already'>
  /** Removes what was announced of an operation that will not happen. */
  forget(number: number, operation: Operation): Promise<void>
  /** Decides about a file that was taken out of its place by somebody who may have been killed since. */
  resolve(log: RevisionLog, aside: Aside): Promise<void>
}

export const createSettle = (parts: SettleParts): Settle => {
  const { root, atomic, reading } = parts
  const { loose } = atomic
  const asides = createAsides(parts)
  const { take, move } = createMoves(parts, asides)

  /** Numbered like the revision and made once, so a slow process cannot write old facts over new ones. */
  const announce = async (number: number, { token, operation }: Revision): Promise<void> => {
    // Where a file goes to decides what is known of it, and only moving it tells.
    if (!operation.facts || operation.kind === 'move') return
    const path = join(root, operation.facts.folder, `${number}.json`)
    await atomic.createOnce(path, encodeJson({ ...operation.facts.facts, token }))
  }

  /** The token is renamed into its place, so a process that was stopped for a year cannot publish it a second time. */
  const put = async (
    log: RevisionLog,
    number: number,
    { token, operation }: Revision & { operation: Put },
  ): Promise<boolean> => {
    const path = join(root, operation.path)
    const aside: Aside = { kind: 'aside', number, path: log.asidePath('aside', number) }
    await loose.link(path, aside.path)
    const moved = await atomic.move(log.tokenPath(token), path)
    await (moved === 'moved' ? asides.replaced(aside, operation) : loose.remove(aside.path))
    return moved === 'moved'
  }

  const act = async (log: RevisionLog, number: number, { token, operation }: Revision): Promise<boolean> => {
    switch (operation.kind) {
      case 'put':
        return put(log, number, { token, operation })
      case 'move':
        return move(log, number, { token, operation })
      case 'drop':
        await take(log, { number, token, operation })
        return true
    }
  }

  return {
    async finish(log, number, revision) {
      const tokenPath = log.tokenPath(revision.token)
      if ((await reading.stat(tokenPath)) === null) return 'already'
      await announce(number, revision)
      // Announcing waits for the disk: whoever was slow at it may find another change in its place.
      if (revision.operation.facts && (await reading.stat(tokenPath)) === null) return 'already'
      const isDone = await act(log, number, revision)
      if (revision.operation.kind !== 'put') await loose.remove(tokenPath)
      return isDone ? 'done' : 'already'
    },
    async forget(number, { facts }) {
      if (facts) await loose.remove(join(root, facts.folder, `${number}.json`)).catch(() => undefined)
    },
    async resolve(log, aside) {
      const revision = await log.read(aside.number)
      if (!revision) return asides.unknown(log, aside)
      const { token, operation } = revision
      if (operation.kind === 'put') return asides.replaced(aside, operation)
      await asides.taken(log, aside, { number: aside.number, token, operation })
    },
  }
}
