import { createHash } from 'node:crypto'
import type { Rev } from './backend.ts'

/** A rev made of the content alone, so a value that changed and changed back has the rev it had. [C-ALL-4] */
export const contentRev = (...parts: readonly (string | number | null)[]): Rev =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
