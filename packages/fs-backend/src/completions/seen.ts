import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { maxReportBytes } from '@nexus/core'
import type { OpenFolder } from '../folder.ts'
import { sha256 } from '../layout.ts'
import { look } from '../look.ts'
import type { FsTools } from '../tools.ts'

/** Why a content of a summary file needs no import: it was imported, it is our own mirror, or it is no report. */
type SeenKind = 'drop' | 'mirror' | 'rejected'

/** One content of one summary file: what lies there at one time of change. */
interface Sighting {
  project: string
  issueNumber: string
  stat: Stats
  bytes: Uint8Array
}

/** The durable memory of what summary files held, shared by all processes on the root. [C-COMPLETION-10, C-COMPLETION-12] */
export interface Seen {
  kindOf(sighting: Sighting): Promise<SeenKind | null>
  /** The same at once, with the project's folder of summaries held open. */
  look(folder: OpenFolder, sighting: Sighting): SeenKind | null
  /** Of racing calls one is `created`. */
  add(sighting: Sighting, kind: SeenKind): Promise<'created' | 'exists'>
}

/** More than an agent writes between two looks; the file shows only the last. */
const kept = 32

const entryPattern = /^(\d+)-\d+-[0-9a-f]{16}\.(drop|mirror|rejected)$/

/** Of a file that is too long for a report: nobody reads it to learn its sum. */
const unread = '0'.repeat(16)

const nameOf = (mtimeMs: number, size: number, bytes: Uint8Array): string =>
  `${Math.round(mtimeMs * 1000)}-${size}-${size > maxReportBytes ? unread : sha256(bytes).slice(0, 16)}`

/** The sighting's name among those of its file. */
export const sightingName = ({ stat, bytes }: Sighting): string => nameOf(stat.mtimeMs, stat.size, bytes)

/** The name of what is to be written whole. */
export const sightingOf = ({ mtimeMs, bytes }: { mtimeMs: number; bytes: Uint8Array }): string =>
  nameOf(mtimeMs, bytes.length, bytes)

const kindIn = (names: readonly string[], sighting: Sighting): SeenKind | null => {
  const prefix = `${sightingName(sighting)}.`
  const kinds: readonly SeenKind[] = ['mirror', 'drop', 'rejected']
  return kinds.find((kind) => names.includes(prefix + kind)) ?? null
}

export const createSeen = ({ layout, atomic, reading }: FsTools): Seen => {
  const prune = async (folder: string): Promise<void> => {
    const names = (await reading.fewFiles(folder)).filter((name) => entryPattern.test(name))
    const timeOf = (name: string): number => Number(name.slice(0, name.indexOf('-')))
    const old = names.sort((a, b) => timeOf(b) - timeOf(a)).slice(kept)
    for (const name of old) await atomic.loose.remove(join(folder, name))
  }

  return {
    async kindOf(sighting) {
      return kindIn(await reading.fewFiles(layout.seen(sighting.project, sighting.issueNumber)), sighting)
    },
    look(folder, sighting) {
      return kindIn(
        look.inside(folder, layout.seen(sighting.project, sighting.issueNumber), look.names) ?? [],
        sighting,
      )
    },
    async add(sighting, kind) {
      const folder = layout.seen(sighting.project, sighting.issueNumber)
      const result = await atomic.loose.createOnce(join(folder, `${sightingName(sighting)}.${kind}`), '')
      // The name says it all, so the folder alone needs to reach the disk; and before a mirror is published, it must.
      await atomic.syncFolder(folder)
      await prune(folder)
      return result
    },
  }
}
