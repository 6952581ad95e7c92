import { dirname, join } from 'node:path'
import { invalid, siblingName } from '@nexus/core'
import { encodeJson } from '../documents.ts'
import { isVisibleName } from '../layout.ts'
import type { Asides, SettleParts, Taking } from './asides.ts'
import type { RevisionLog } from './log.ts'
import type { Move, Revision } from './operation.ts'

/** Taking files out of their place, for good or for another one. */
export interface Moves {
  take(log: RevisionLog, taking: Taking): Promise<void>
  /** False where others did it. */
  move(log: RevisionLog, number: number, revision: Revision & { operation: Move }): Promise<boolean>
}

export const createMoves = ({ root, layout, atomic, reading }: SettleParts, asides: Asides): Moves => {
  /** True where the file was in its place, or in the hand of a slow process that would have put it back. */
  const takeOnce = async (log: RevisionLog, taking: Taking): Promise<boolean> => {
    if ((await reading.stat(log.tokenPath(taking.token))) === null) return false
    await atomic.loose.move(join(root, taking.operation.path), log.asidePath('gone', taking.number))
    let isTaken = false
    for (const aside of (await log.list()).asides)
      if (aside.kind === 'gone' && (await asides.taken(log, aside, taking))) isTaken = true
    return isTaken
  }

  /**
   * Out of its place under a name that tells why, and only then away: removing by name alone could hit a later file.
   * Looking for the token just before keeps slow processes from getting one, and what they have in their hand is no
   * longer than a few calls away.
   */
  const take = async (log: RevisionLog, taking: Taking): Promise<void> => {
    while (await takeOnce(log, taking));
    await atomic.syncFolder(dirname(join(root, taking.operation.path)))
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

  /** Under the name that it has now; what has the former name there is another file, and keeps its own facts. */
  const announce = async (number: number, { token, operation }: Revision & { operation: Move }, name: string) => {
    if (!operation.facts) return
    const { folder, facts } = operation.facts
    const isRenamed = name !== operation.filename
    const former = { ...facts, state: isRenamed ? null : facts.state, token }
    await atomic.createOnce(join(root, folder, `${number}.json`), encodeJson(former))
    if (!isRenamed) return
    const renamed = layout.taskFacts(operation.project, name)
    const present = { ...facts, filename: name, from: null, token }
    await atomic.createOnce(join(renamed, `${await nextNumber(renamed)}.json`), encodeJson(present))
  }

  /** In its new place before it leaves the old one: a crash between the two leaves two names of one file. */
  const move = async (log: RevisionLog, number: number, revision: Revision & { operation: Move }): Promise<boolean> => {
    const { token, operation } = revision
    const name = await place(log.tokenPath(token), operation)
    if (name === null) return false
    await announce(number, { token, operation }, name)
    await take(log, { number, token, operation })
    return true
  }

  /** Facts that come with a file from another name stand above what was known under this one. */
  const nextNumber = async (folder: string): Promise<number> =>
    Math.max(0, ...(await reading.files(folder)).map((file) => Number.parseFloat(file) || 0)) + 0.001

  return { take, move }
}
