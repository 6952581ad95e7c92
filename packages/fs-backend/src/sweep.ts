import { basename, join } from 'node:path'
import type { FsTools } from './tools.ts'

/**
 * Where the maker cannot be asked (another host), a temp file this old is a stray: no write takes an hour. Measured with
 * the clock that stamps files, not with the injected one.
 */
const strayAgeMs = 3_600_000

/** The record whose revision a token belongs to, or null for a plain temp file. */
const recordOf = (name: string): string | null => /\.([0-9a-f]{32})\.\d+$/.exec(name)?.[1] ?? null

/** The hashes of records that have a change under way, or left half done by a killed process. */
export const pendingRecords = async ({
  reading,
  layout,
}: Pick<FsTools, 'reading' | 'layout'>): Promise<ReadonlySet<string>> =>
  new Set((await reading.files(layout.temp)).flatMap((name) => recordOf(name) ?? []))

type Temps = Pick<FsTools, 'reading' | 'layout' | 'isStrayTemp'>

/** The temp files that killed processes left. Changes nothing. */
export const strayTemps = async ({ reading, layout, isStrayTemp }: Temps): Promise<string[]> => {
  const strays: string[] = []
  for (const name of await reading.files(layout.temp)) {
    const path = join(layout.temp, name)
    const stat = isStrayTemp(name) ? null : await reading.stat(path)
    if (!stat || Date.now() - stat.mtimeMs >= strayAgeMs) strays.push(path)
  }
  return strays
}

/**
 * Finishes what killed processes had decided, and removes the other temp files that killed processes left. One that was wrongly taken for a stray costs its maker an error, never
 * data: the rename that would have put it in place finds nothing. [C-FILES-2]
 */
export const sweepTemps = async (tools: Temps & Pick<FsTools, 'atomic' | 'revisions'>): Promise<void> => {
  for (const path of await strayTemps(tools)) {
    const record = recordOf(basename(path))
    if (record) await tools.revisions.finish(record).catch(() => undefined)
    await tools.atomic.loose.remove(path).catch(() => undefined)
  }
}
