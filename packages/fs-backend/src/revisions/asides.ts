import type { Stats } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '@nexus/core'
import type { Atomic } from '../atomic.ts'
import type { Layout } from '../layout.ts'
import type { Quarantine } from '../quarantine.ts'
import type { Reading } from '../reading.ts'
import type { Aside, RevisionLog } from './log.ts'
import { type Drop, type Move, type Put, stampOf } from './operation.ts'

export interface SettleParts {
  root: string
  layout: Layout
  atomic: Atomic
  reading: Reading
  quarantine: Quarantine
  logger: Logger
}

export interface Taking {
  number: number
  token: string
  operation: Drop | Move
}

/** Deciding about files that were taken out of their place; deciding twice is deciding once. */
export interface Asides {
  replaced(aside: Aside, operation: Put): Promise<void>
  /** True where it was what had to be taken, and is away for good. */
  taken(log: RevisionLog, aside: Aside, taking: Taking): Promise<boolean>
  /** Its own revision is no longer there. */
  unknown(log: RevisionLog, aside: Aside): Promise<void>
}

const inodeOf = (stamp: string): string => stamp.slice(0, stamp.indexOf(':'))

export const createAsides = ({ root, atomic, reading, quarantine, logger }: SettleParts): Asides => {
  const { loose } = atomic

  const keepCopy = async (path: string, place: string, reason: string): Promise<void> => {
    const file = await reading.read(path)
    if (file) await quarantine.keep(place, file.bytes, reason)
  }

  /** Another program wrote between our look at the file and our replacing it: its words are kept. */
  const resolveAside = async ({ path: asidePath }: Aside, { path, base }: Put): Promise<void> => {
    const [aside, present] = [await reading.stat(asidePath), await reading.stat(join(root, path))]
    const isForeign = aside && aside.ino !== present?.ino && stampOf(aside) !== base
    if (isForeign) await keepCopy(asidePath, path, 'It was written while it was being replaced.')
    await loose.remove(asidePath)
  }

  /** Where the record's file is, by the last of its changes that is still known; null where it is nowhere. */
  const homeOf = async (log: RevisionLog): Promise<string | null> => {
    const { numbers } = await log.list()
    for (const number of numbers.sort((a, b) => b - a)) {
      const operation = (await log.read(number))?.operation
      if (operation?.kind === 'put') return operation.path
      if (operation?.kind === 'move') return join(operation.folder, operation.filename)
      if (operation?.kind === 'drop') return null
    }
    return null
  }

  const putBack = async (gonePath: string, gone: Stats, path: string): Promise<void> => {
    const back = await atomic.linkOnce(gonePath, join(root, path))
    const present = back === 'exists' ? await reading.stat(join(root, path)) : null
    if (present && present.ino !== gone.ino)
      await keepCopy(gonePath, path, 'It was replaced while it was being put back.')
    if (back === 'created') logger.warn('Put back a file that changed while it was being removed', { path })
    await loose.remove(gonePath)
  }

  /**
   * A file was taken legitimately while its revision's token existed: whoever settles the revision first clears away
   * what was taken for it. Without the token a slow process took a file that came later; that one goes back.
   */
  const resolveGone = async (
    log: RevisionLog,
    { path: gonePath, number: takenFor }: Aside,
    { number, token, operation }: Taking,
  ): Promise<boolean> => {
    const gone = await reading.stat(gonePath)
    if (!gone) return false
    const isPending = (await reading.stat(log.tokenPath(token))) !== null
    const isSame =
      operation.kind === 'drop' ? stampOf(gone) === operation.base : String(gone.ino) === inodeOf(operation.base)
    if (isPending && isSame) return (await loose.remove(gonePath)) === 'removed'
    if (takenFor === number) await putBack(gonePath, gone, operation.path)
    return false
  }

  return {
    replaced: resolveAside,
    taken: resolveGone,
    async unknown(log, { kind, path }) {
      const stat = await reading.stat(path)
      const home = kind === 'gone' ? await homeOf(log) : null
      if (stat && home !== null) return putBack(path, stat, home)
      await keepCopy(path, path, 'Nobody knows any more what it belongs to.')
      await loose.remove(path)
    },
  }
}
