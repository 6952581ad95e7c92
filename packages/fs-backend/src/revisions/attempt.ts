import { dirname } from 'node:path'
import { obstacleError, unsure } from '../fs-errors.ts'
import { quietly } from '../steps.ts'
import type { SettleParts } from './asides.ts'
import { type Change, operationOf, type Planned } from './change.ts'
import type { LogEntries, RevisionLog } from './log.ts'
import type { Revision } from './operation.ts'
import type { Settle } from './settle.ts'

/** One try: true when the change is done and durable, false when somebody else was first. */
export type Attempt = (log: RevisionLog, entries: LogEntries, planned: Planned) => Promise<boolean>

type CarryOut = (log: RevisionLog, number: number, revision: Revision, change: Change) => Promise<boolean>

const createCarryOut = ({ atomic }: SettleParts, settle: Settle): CarryOut => {
  /**
   * A revision counts only while it is the last: a slow process may have filled a number that was pruned, or have looked
   * while a file was out of its place. Whoever removes the token first decides. What is moved was in its place when its
   * token was made of it, and may have its new name already.
   */
  const isVoid = async (log: RevisionLog, number: number, { token, operation }: Revision): Promise<boolean> => {
    const { top, asides } = await log.list()
    const isOut = operation.kind !== 'move' && asides.some((aside) => aside.kind === 'gone' && aside.number < number)
    const isLast = top === number && !isOut
    return !isLast && (await atomic.loose.remove(log.tokenPath(token))) === 'removed'
  }

  /** Bytes whose token is gone before they were published can be published by nobody: that save did not happen. */
  const isTakenBack = async (log: RevisionLog, number: number, { token, operation }: Revision): Promise<boolean> => {
    if (operation.kind !== 'put') return false
    const removed = await atomic.loose.remove(log.tokenPath(token)).catch(() => 'absent')
    if (removed === 'removed') await settle.forget(number, operation)
    return removed === 'removed'
  }

  return async (log, number, revision, change) => {
    try {
      if (await isVoid(log, number, revision)) return false
      if ((await settle.finish(log, number, revision)) === 'already') {
        await atomic.syncFolder(dirname(change.path))
        if (change.kind === 'move') await atomic.syncFolder(change.folder)
      }
      return true
    } catch (error) {
      // After its revision exists, a change may happen whatever this process does.
      throw (await isTakenBack(log, number, revision)) ? error : unsure(error)
    }
  }
}

export const createAttempt = (parts: SettleParts, settle: Settle): Attempt => {
  const { root, atomic, reading } = parts
  const carryOut = createCarryOut(parts, settle)

  /** Makes the token: what a put publishes, another name of what moves, or nothing but a name. False: look again. */
  const stage = async (token: string, { change, staged }: Planned): Promise<boolean> => {
    if (change.kind === 'drop') return (await atomic.loose.createOnce(token, '')) === 'created'
    if (change.kind === 'put') {
      if (change.base === null && (await reading.isObstructed(change.path))) throw obstacleError(change.path)
      await atomic.makeFolder(dirname(change.path))
      const stat = await atomic.loose.stage(token, change.bytes, change.modified)
      await staged?.(stat)
      return true
    }
    const linked = await atomic.loose.link(change.path, token)
    if (linked === 'created' && (await reading.stat(token))?.ino === change.base.ino) return true
    await atomic.loose.remove(token)
    return false
  }

  const attempt: Attempt = async (log, entries, { change, staged }) => {
    const number = entries.top + 1
    const token = log.token(number)
    const path = log.tokenPath(token)
    if (!(await stage(path, { change, staged }))) return false
    const revision: Revision = { token, operation: operationOf(root, change) }
    // A move gives the file a second name, so it must be known for a move even after a power cut.
    const isOurs = await log
      .create(number, revision, { isDurable: change.kind === 'move' })
      .catch(async (error: unknown) => {
        await atomic.loose.remove(path).catch(() => undefined)
        throw error
      })
    if (!isOurs) {
      await atomic.loose.remove(path)
      return false
    }
    if (!(await carryOut(log, number, revision, change))) return false
    // The change is done: revisions that stay are only more to look through.
    await quietly(log.prune(entries))
    return true
  }

  return (log, entries, planned) => reading.holding(dirname(planned.change.path), () => attempt(log, entries, planned))
}
