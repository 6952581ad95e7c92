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
  token: string
  operation: Drop | Move
}

/** Deciding about files that were taken out of their place; deciding twice is deciding once. */
export interface Asides {
  replaced(aside: Aside, operation: Put): Promise<void>
  taken(log: RevisionLog, aside: Aside, taking: Taking): Promise<void>
  unknown(aside: Aside): Promise<void>
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

  /**
   * A file was taken legitimately while its revision's token existed: whoever settles the revision first clears away
   * what was taken for it. Without the token a slow process took a file that came later; that one goes back.
   */
  const resolveGone = async (
    log: RevisionLog,
    { path: gonePath }: Aside,
    { token, operation }: Taking,
  ): Promise<void> => {
    const gone = await reading.stat(gonePath)
    if (!gone) return
    const isPending = (await reading.stat(log.tokenPath(token))) !== null
    const isSame =
      operation.kind === 'drop' ? stampOf(gone) === operation.base : String(gone.ino) === inodeOf(operation.base)
    if (!isPending || !isSame) {
      const back = await atomic.linkOnce(gonePath, join(root, operation.path))
      const present = back === 'exists' ? await reading.stat(join(root, operation.path)) : null
      if (present && present.ino !== gone.ino)
        await keepCopy(gonePath, operation.path, 'It was replaced while it was being put back.')
      if (back === 'created')
        logger.warn('Put back a file that changed while it was being removed', { path: operation.path })
    }
    await loose.remove(gonePath)
  }

  return {
    replaced: resolveAside,
    taken: resolveGone,
    async unknown({ path }) {
      await keepCopy(path, path, 'Nobody knows any more what it belongs to.')
      await loose.remove(path)
    },
  }
}
