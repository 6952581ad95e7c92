import type { Stats } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../layout.ts'
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
  /** Of racing calls one is `created`. */
  add(sighting: Sighting, kind: SeenKind): Promise<'created' | 'exists'>
  /** True where the file is known to be as it was when it was last found seen, without reading it. */
  isUnchanged(path: string, stat: Stats): boolean
  /** Remembers that for this process. */
  note(path: string, stat: Stats): void
}

/** More than an agent writes between two looks; the file shows only the last. */
const kept = 32

const entryPattern = /^(\d+)-\d+-[0-9a-f]{16}\.(drop|mirror|rejected)$/

const nameOf = ({ stat, bytes }: Sighting): string =>
  `${Math.round(stat.mtimeMs * 1000)}-${stat.size}-${sha256(bytes).slice(0, 16)}`

const stampOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => `${ino}:${size}:${mtimeMs}:${ctimeMs}`

export const createSeen = ({ layout, atomic, reading }: FsTools): Seen => {
  const stamps = new Map<string, string>()
  const entries = (folder: string): Promise<string[]> => reading.files(folder)

  const prune = async (folder: string): Promise<void> => {
    const names = (await entries(folder)).filter((name) => entryPattern.test(name))
    const timeOf = (name: string): number => Number(name.slice(0, name.indexOf('-')))
    const old = names.sort((a, b) => timeOf(b) - timeOf(a)).slice(kept)
    for (const name of old) await atomic.loose.remove(join(folder, name))
  }

  return {
    async kindOf(sighting) {
      const prefix = `${nameOf(sighting)}.`
      const found = (await entries(layout.seen(sighting.project, sighting.issueNumber))).filter((name) =>
        name.startsWith(prefix),
      )
      const kinds: readonly SeenKind[] = ['mirror', 'drop', 'rejected']
      return kinds.find((kind) => found.includes(prefix + kind)) ?? null
    },
    async add(sighting, kind) {
      const folder = layout.seen(sighting.project, sighting.issueNumber)
      const result = await atomic.loose.createOnce(join(folder, `${nameOf(sighting)}.${kind}`), '')
      // The name says it all, so the folder alone needs to reach the disk; and before a mirror is published, it must.
      await atomic.syncFolder(folder)
      await prune(folder)
      return result
    },
    isUnchanged: (path, stat) => stamps.get(path) === stampOf(stat),
    note(path, stat) {
      stamps.set(path, stampOf(stat))
    },
  }
}
