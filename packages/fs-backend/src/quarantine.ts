import { basename, join } from 'node:path'
import type { Logger } from '@nexus/core'
import type { Atomic } from './atomic.ts'
import { type Layout, sha256 } from './layout.ts'

/** Copies of content that could be lost: unreadable records, and what others wrote while we replaced it. [C-ALL-9] */
export interface Quarantine {
  /** Keeps a copy, once per content. Resolves to its path. */
  keep(place: string, bytes: Uint8Array, reason: string): Promise<string>
}

/** Short enough in any script: four bytes a character and the hash fit a file name. */
const maxNameLength = 50

export const createQuarantine = (atomic: Atomic, layout: Layout, logger: Logger): Quarantine => {
  return {
    async keep(place, bytes, reason) {
      const hash = sha256(bytes).slice(0, 32)
      const path = join(layout.quarantine, `${hash}-${basename(place).slice(0, maxNameLength)}`)
      const result = await atomic.createOnce(path, bytes)
      if (result === 'created') logger.warn('Kept a copy of content that cannot be used', { place, reason, copy: path })
      return path
    },
  }
}
