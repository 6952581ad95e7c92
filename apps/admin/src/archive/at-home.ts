import { movedAway, type Records, type StoreName } from '@nexus/core'
import { CommandError } from '../cli/exit.ts'
import type { MoveFolder } from '../move/folder.ts'
import { isOpen, moveOptions } from '../move/migration.ts'

/** Throws where one of these stores has moved: what lies here is a kept copy, and nobody reads what is written to it. */
export const checkAtHome = async (
  records: Pick<Records, 'moved'>,
  stores: readonly StoreName[],
  signal: AbortSignal,
): Promise<void> => {
  const [moved] = await records.moved({ signal, stores })
  if (moved) throw movedAway(moved)
}

/** Throws where a move of one of these stores is under way: it deletes from its target what its source has not. */
export const checkNoMove = async (folder: Pick<MoveFolder, 'list'>, stores: readonly StoreName[]): Promise<void> => {
  const open = (await folder.list()).find((move) => isOpen(move) && move.stores.some((store) => stores.includes(store)))
  if (!open) return
  throw new CommandError(
    'locked',
    `The move ${open.id} of this root is not over. Bring it to its end (nexus-admin migrate run ${moveOptions(open)}) or take it back (nexus-admin migrate undo ${moveOptions(open)}), and repeat the import.`,
  )
}
