import { lstatSync, type Stats } from 'node:fs'
import type { JournalFiles } from '@nexus/core'
import type { FsBackendOptions } from './backend.ts'
import { guarded } from './fs-errors.ts'
import { recordName } from './layout.ts'
import { isTelling, isUnchanged, type Stamp } from './stamp.ts'
import { sys } from './syscalls.ts'
import { createTools, type FsTools, openTools } from './tools.ts'

const ascending = (a: number, b: number): number => a - b

const numbersOf = (names: readonly string[], numberOf: (name: string) => number | null): number[] =>
  names.flatMap((name) => numberOf(name) ?? []).sort(ascending)

/** It is asked for at each call, and an error that says "absent" would cost more than the question. */
const statOf = (path: string): Stats | null => lstatSync(path, { throwIfNoEntry: false }) ?? null

/** A listing of the generations that is read again only when the folder's stamp says so. */
const createListing = ({ layout, reading }: FsTools) => {
  let known: { stamp: Stamp; isTelling: boolean; generations: readonly number[] } | null = null
  return async (): Promise<readonly number[]> => {
    const stat = await guarded(layout.journal, async () => statOf(layout.journal))
    if (!stat) return []
    if (known?.isTelling && isUnchanged(known.stamp, stat)) return known.generations
    const generations = numbersOf(await reading.folders(layout.journal), recordName.generation)
    known = { stamp: stat, isTelling: isTelling(stat, Date.now()), generations }
    return generations
  }
}

const createJournalFiles = (tools: FsTools): JournalFiles => {
  const { layout, reading, atomic } = tools
  const slots = async (generation: number): Promise<number[]> =>
    numbersOf(await reading.files(layout.journalGeneration(generation)), recordName.slot)
  return {
    place: layout.journal,
    generations: createListing(tools),
    slots,
    read: async (generation, slot) => (await reading.read(layout.journalSlot(generation, slot)))?.bytes ?? null,
    create: (generation, slot, bytes) => atomic.createOnce(layout.journalSlot(generation, slot), bytes),
    async remove(generation) {
      for (const slot of await slots(generation)) await atomic.loose.remove(layout.journalSlot(generation, slot))
      await atomic.loose.removeFolder(layout.journalGeneration(generation))
    },
  }
}

/** The journal of an outage on the root's disk. Never closed: it holds nothing open. */
export const openJournalFiles = async ({ root, ...context }: FsBackendOptions): Promise<JournalFiles> =>
  createJournalFiles(await openTools(root, context, () => false))

/** The same for who only looks: nothing is made or swept. Null where there is no root. */
export const findJournalFiles = async ({ root, ...context }: FsBackendOptions): Promise<JournalFiles | null> => {
  if (statOf(root) === null) return null
  return createJournalFiles(createTools(await guarded(root, () => sys.realpath(root)), context, () => false))
}
