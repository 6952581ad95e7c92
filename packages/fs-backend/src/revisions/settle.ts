import { dirname, join } from 'node:path'
import { invalid, type Logger, siblingName } from '@nexus/core'
import type { Atomic } from '../atomic.ts'
import { encodeJson } from '../documents.ts'
import { isVisibleName, type Layout } from '../layout.ts'
import type { Quarantine } from '../quarantine.ts'
import type { Reading } from '../reading.ts'
import type { Aside, RevisionLog } from './log.ts'
import { type Drop, type Move, type Operation, type Put, type Revision, stampOf } from './operation.ts'

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
  /** Removes what was announced of an operation that will not happen. */
  forget(number: number, operation: Operation): Promise<void>
  /** Decides about a file that was taken out of its place by somebody who may have been killed since. */
  resolve(log: RevisionLog, aside: Aside): Promise<void>
}

interface Taking {
  token: string
  operation: Drop | Move
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

  /** Numbered like the revision and made once, so a slow process cannot write old facts over new ones. */
  const announce = async (number: number, { token, operation }: Revision): Promise<void> => {
    if (!operation.facts) return
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
    await (moved === 'moved' ? resolveAside(aside, operation) : loose.remove(aside.path))
    return moved === 'moved'
  }

  /** Out of its place under a name that tells why, and only then away: removing by name alone could hit a later file. */
  const take = async (log: RevisionLog, number: number, revision: Taking): Promise<void> => {
    const { operation } = revision
    const gonePath = log.asidePath('gone', number)
    const taken = await atomic.move(join(root, operation.path), gonePath)
    if (taken === 'absent') await atomic.syncFolder(dirname(join(root, operation.path)))
    const { asides } = await log.list()
    for (const aside of asides.filter(({ kind, number: n }) => kind === 'gone' && n === number))
      await resolveGone(log, aside, revision)
  }

  /**
   * The first of the names that the file has, or gets, in the other folder; null where others are done. The token is
   * itself a name of the file, so a slow process finds nothing to place once the revision is settled.
   */
  const place = async (tokenPath: string, { path, folder, filename }: Move): Promise<string | null> => {
    const from = dirname(join(root, path))
    for (let n = 1; ; ) {
      const name = siblingName(filename, n)
      if (!isVisibleName(name)) throw invalid(`${filename} has so many namesakes that no name is left for it.`)
      const to = join(root, folder, name)
      const isTaken = n > 1 && (await reading.stat(join(from, name))) !== null
      const linked = isTaken ? 'exists' : await atomic.linkOnce(tokenPath, to)
      if (linked === 'created') return name
      const [token, present] = [await reading.stat(tokenPath), await reading.stat(to)]
      if (linked === 'absent' || token === null) return null
      if (present?.ino === token.ino) return name
      // Nothing there: a slow process has it in its hand and puts it back; only a file that stays makes the name taken.
      if (isTaken || present || (await reading.isObstructed(to))) n++
    }
  }

  /** In its new place before it leaves the old one: a crash between the two leaves two names of one file. */
  const move = async (log: RevisionLog, number: number, revision: Revision & { operation: Move }): Promise<boolean> => {
    const { token, operation } = revision
    const name = await place(log.tokenPath(token), operation)
    if (name === null) return false
    if (operation.facts && name !== operation.filename) {
      const facts = { ...operation.facts.facts, filename: name, from: null, token }
      const folder = layout.taskFacts(operation.project, name)
      await atomic.createOnce(join(folder, `${await nextNumber(folder)}.json`), encodeJson(facts))
    }
    await take(log, number, revision)
    return true
  }

  /** Facts that come with a file from another name stand above what was known under this one. */
  const nextNumber = async (folder: string): Promise<number> =>
    Math.max(0, ...(await reading.files(folder)).map((file) => Number.parseFloat(file) || 0)) + 0.001

  const act = async (log: RevisionLog, number: number, { token, operation }: Revision): Promise<boolean> => {
    switch (operation.kind) {
      case 'put':
        return put(log, number, { token, operation })
      case 'move':
        return move(log, number, { token, operation })
      case 'drop':
        await take(log, number, { token, operation })
        return true
    }
  }

  return {
    async finish(log, number, revision) {
      const tokenPath = log.tokenPath(revision.token)
      if ((await reading.stat(tokenPath)) === null) return 'already'
      await announce(number, revision)
      const isDone = await act(log, number, revision)
      if (revision.operation.kind !== 'put') await loose.remove(tokenPath)
      return isDone ? 'done' : 'already'
    },
    async forget(number, { facts }) {
      if (facts) await loose.remove(join(root, facts.folder, `${number}.json`)).catch(() => undefined)
    },
    async resolve(log, aside) {
      const revision = await log.read(aside.number)
      if (!revision) {
        await keepCopy(aside.path, aside.path, 'Nobody knows any more what it belongs to.')
        await loose.remove(aside.path)
        return
      }
      const { token, operation } = revision
      if (operation.kind === 'put') return resolveAside(aside, operation)
      return resolveGone(log, aside, { token, operation })
    },
  }
}
