import { type BackendContext, type CallOptions, checkOpen } from '@nexus/core'
import { type Atomic, createAtomic } from './atomic.ts'
import { createWithFolder, type WithFolder } from './folder.ts'
import { guarded } from './fs-errors.ts'
import { createLayout, type Layout } from './layout.ts'
import { createQuarantine, type Quarantine } from './quarantine.ts'
import { createReading, type Reading } from './reading.ts'
import { createRevisions, type Revisions } from './revisions/revisions.ts'
import { openRoot } from './root.ts'
import { sweepTemps } from './sweep.ts'
import { createTempNames } from './temp-names.ts'

/** What the stores on one root share. */
export interface FsTools extends BackendContext {
  /** The real path. */
  root: string
  layout: Layout
  atomic: Atomic
  reading: Reading
  withFolder: WithFolder
  quarantine: Quarantine
  revisions: Revisions
  isClosed(): boolean
  /** What every call does first. */
  checkOpen(options?: CallOptions): void
}

export const openTools = async (
  given: string,
  { clock, ids, logger, liveness }: BackendContext,
  isClosed: () => boolean,
): Promise<FsTools> => {
  const root = await guarded(given, () => openRoot(given))
  const layout = createLayout(root)
  const withFolder = createWithFolder(root)
  const reading = createReading(withFolder)
  const tempNames = createTempNames(() => ids.next())
  const atomic = createAtomic({ root, tempFolder: layout.temp, withFolder, tempName: () => tempNames.next() })
  const tempName = (): string => tempNames.next()
  const quarantine = createQuarantine(atomic, layout, logger)
  const revisions = createRevisions({ root, layout, atomic, reading, quarantine, logger, tempName })
  await sweepTemps({ reading, atomic, revisions, layout, isStray: (name) => tempNames.isStray(name) })
  return {
    clock,
    ids,
    logger,
    liveness,
    root,
    layout,
    atomic,
    reading,
    withFolder,
    quarantine,
    revisions,
    isClosed,
    checkOpen: (options) => checkOpen(isClosed(), 'filesystem', options),
  }
}
