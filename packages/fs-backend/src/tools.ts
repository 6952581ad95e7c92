import { type BackendContext, type CallOptions, checkOpen } from '@nexus/core'
import { type Atomic, createAtomic } from './atomic.ts'
import { createWithFolder, type WithFolder } from './folder.ts'
import { guarded } from './fs-errors.ts'
import { createLayout, type Layout } from './layout.ts'
import { createListing, type Listing } from './listing.ts'
import { createMarks, type Marks } from './moved.ts'
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
  listing: Listing
  withFolder: WithFolder
  quarantine: Quarantine
  revisions: Revisions
  /** Whether the maker of a temp file is provably gone. */
  isStrayTemp(name: string): boolean
  marks: Marks
  isClosed(): boolean
  /** What every call does first. */
  checkOpen(options?: CallOptions): void
}

/** For a root that is there, by its real path. Does nothing yet. */
export const createTools = (
  root: string,
  { clock, ids, logger, liveness }: BackendContext,
  isClosed: () => boolean,
): FsTools => {
  const layout = createLayout(root)
  const withFolder = createWithFolder(root)
  const reading = createReading(withFolder)
  const tempNames = createTempNames(() => ids.next())
  const atomic = createAtomic({ root, tempFolder: layout.temp, withFolder, tempName: () => tempNames.next() })
  const tempName = (): string => tempNames.next()
  const quarantine = createQuarantine(atomic, layout, logger)
  const revisions = createRevisions({ root, layout, atomic, reading, quarantine, logger, tempName })
  return {
    clock,
    ids,
    logger,
    liveness,
    root,
    layout,
    atomic,
    reading,
    listing: createListing({ withFolder }),
    withFolder,
    quarantine,
    revisions,
    isStrayTemp: (name) => tempNames.isStray(name),
    marks: createMarks(layout, atomic),
    isClosed,
    checkOpen: (options) => checkOpen(isClosed(), 'filesystem', options),
  }
}

export const openTools = async (given: string, context: BackendContext, isClosed: () => boolean): Promise<FsTools> => {
  const tools = createTools(await guarded(given, () => openRoot(given)), context, isClosed)
  await sweepTemps(tools)
  return tools
}
