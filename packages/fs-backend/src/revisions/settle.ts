import { dirname, join } from 'node:path'
import { invalid, type Logger, siblingName } from '@nexus/core'
import type { Atomic } from '../atomic.ts'
import { isVisibleName, type Layout } from '../layout.ts'
import type { Quarantine } from '../quarantine.ts'
import type { Reading } from '../reading.ts'
import type { Aside, RevisionLog } from './log.ts'
import { type Drop, type Facts, type Move, type Put, type Revision, stampOf } from './operation.ts'

export interface SettleParts {
  root: string
  layout: Layout
  atomic: Atomic
  reading: Reading
  quarantine: Quarantine
  logger: Logger
}

/** Carries out revisions; whoever comes by may do it, any number of times. */
export interface Settle {
  /** Does what the revision says and makes it durable; `already` where others did, durable or not. */
  finish(log: RevisionLog, number: number, revision: Revision): Promise<'done' | 'already'>
  /** Decides about a file that was taken out of its place by somebody who may have been killed since. */
  resolve(log: RevisionLog, aside: Aside): Promise<void>
}

const inodeOf = (stamp: string): string => stamp.slice(0, stamp.indexOf(':'))

export const createSettle = ({ root, layout, atomic, reading, quarantine, logger }: SettleParts): Settle => {
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
   * A slow process may take a file that came after the one it meant; that one goes back. Where its place is taken again
   * the newer stays and a copy is kept.
   */
  const resolveGone = async ({ path: gonePath }: Aside, operation: Drop | Move): Promise<void> => {
    const gone = await reading.stat(gonePath)
    if (!gone) return
    const isMeant =
      operation.kind === 'drop' ? stampOf(gone) === operation.base : String(gone.ino) === inodeOf(operation.base)
    if (!isMeant) {
      logger.warn('Put back a file that was changed while it was being removed', { path: operation.path })
      const back = await atomic.linkOnce(gonePath, join(root, operation.path))
      const present = back === 'exists' ? await reading.stat(join(root, operation.path)) : null
      if (present && present.ino !== gone.ino)
        await keepCopy(gonePath, operation.path, 'It was replaced while it was being put back.')
    }
    await loose.remove(gonePath)
  }

  const writeFacts = (path: string, facts: Facts): Promise<void> =>
    atomic.replace(path, `${JSON.stringify(facts, null, 2)}\n`)

  /** Facts go first, with the former ones beside them, so that bytes and facts change for a reader in one moment. */
  const announce = async (tokenPath: string, { sidecar }: Put): Promise<void> => {
    const token = sidecar && (await reading.stat(tokenPath))
    if (!sidecar || !token) return
    const { former, ...facts } = sidecar.facts
    await writeFacts(join(root, sidecar.path), former ? { ...facts, former: { ...former, inode: token.ino } } : facts)
  }

  /** The token is renamed into its place, so a process that was stopped for a year cannot publish it a second time. */
  const put = async (log: RevisionLog, number: number, token: string, operation: Put): Promise<'done' | 'already'> => {
    const path = join(root, operation.path)
    const aside: Aside = { kind: 'aside', number, path: log.asidePath('aside', number) }
    await loose.link(path, aside.path)
    await announce(log.tokenPath(token), operation)
    const moved = await atomic.move(log.tokenPath(token), path)
    if (moved === 'moved' && operation.sidecar?.facts.former) {
      const { former: _, ...facts } = operation.sidecar.facts
      await writeFacts(join(root, operation.sidecar.path), facts)
    }
    await (moved === 'moved' ? resolveAside(aside, operation) : loose.remove(aside.path))
    return moved === 'moved' ? 'done' : 'already'
  }

  const take = async (log: RevisionLog, number: number, operation: Drop | Move): Promise<void> => {
    const gone: Aside = { kind: 'gone', number, path: log.asidePath('gone', number) }
    const taken = await atomic.move(join(root, operation.path), gone.path)
    if (taken === 'moved') await resolveGone(gone, operation)
    else await atomic.syncFolder(dirname(join(root, operation.path)))
    if (operation.kind === 'drop' && operation.sidecar) await loose.remove(join(root, operation.sidecar))
  }

  /** The first of the names that the file has, or gets, in the other folder; null where the file is gone. */
  const place = async (from: string, inode: number, { folder, filename }: Move): Promise<string | null> => {
    for (let n = 1; ; n++) {
      const name = siblingName(filename, n)
      if (!isVisibleName(name)) throw invalid(`${filename} has so many namesakes that no name is left for it.`)
      if (n > 1 && (await reading.stat(join(dirname(from), name)))) continue
      const linked = await atomic.linkOnce(from, join(root, folder, name))
      if (linked === 'absent') return null
      const isThere = linked === 'created' || (await reading.stat(join(root, folder, name)))?.ino === inode
      if (isThere) return name
    }
  }

  /** In its new place before it leaves the old one: a crash between the two leaves two names of one file. */
  const move = async (log: RevisionLog, number: number, operation: Move): Promise<void> => {
    const from = join(root, operation.path)
    const source = await reading.stat(from)
    if (!source || String(source.ino) !== inodeOf(operation.base)) return
    const name = await place(from, source.ino, operation)
    if (name === null) return
    const { project, state, facts } = operation
    const newPlace = layout.taskFacts(project, state, name)
    await (facts ? writeFacts(newPlace, { ...facts, filename: name }) : loose.remove(newPlace))
    await take(log, number, operation)
    await loose.remove(layout.taskFacts(project, state === 'closed' ? 'active' : 'closed', operation.filename))
  }

  return {
    async finish(log, number, { token, operation }) {
      const tokenPath = log.tokenPath(token)
      if ((await reading.stat(tokenPath)) === null) return 'already'
      if (operation.kind === 'put') return put(log, number, token, operation)
      await (operation.kind === 'drop' ? take(log, number, operation) : move(log, number, operation))
      await loose.remove(tokenPath)
      return 'done'
    },
    async resolve(log, aside) {
      const operation = (await log.read(aside.number))?.operation
      if (!operation) {
        await keepCopy(aside.path, aside.path, 'Nobody knows any more what it belongs to.')
        await loose.remove(aside.path)
        return
      }
      if (operation.kind === 'put') return resolveAside(aside, operation)
      return resolveGone(aside, operation)
    },
  }
}
