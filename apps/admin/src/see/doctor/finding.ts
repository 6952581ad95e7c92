import type { Count } from '@nexus/core'
import type { Sources } from './sources.ts'

/** `warn`: it works, and somebody should look. `fail`: something does not work, or loses what it should keep. */
type Verdict = 'ok' | 'warn' | 'fail'

/** What one check found. */
export interface Finding {
  status: Verdict
  /** One line. */
  message: string
  /** What it is about, one line each. */
  detail: readonly string[]
  /** The command or step that mends it; null where nothing is wrong. */
  fix: string | null
  /** Mends it, where nothing that anybody wrote is touched. */
  mend?: () => Promise<void>
}

/** One thing that is looked at. */
export interface Check {
  /** For `--only`, and for programs; it never changes. */
  name: string
  /** Null where there is nothing to look at: no database is used, or it cannot be reached and that is told already. */
  look(sources: Sources): Promise<Finding | null>
}

export const ok = (message: string): Finding => ({ status: 'ok', message, detail: [], fix: null })

type Wrong = Pick<Finding, 'message' | 'mend'> & { detail?: readonly string[]; fix: string }

export const warn = ({ detail = [], ...wrong }: Wrong): Finding => ({ status: 'warn', detail, ...wrong })

export const fail = ({ detail = [], ...wrong }: Wrong): Finding => ({ status: 'fail', detail, ...wrong })

/** `1 task`, `2 tasks`, `10000 or more tasks` */
export const counted = (count: Count, one: string, more = `${one}s`): string => {
  if (typeof count !== 'number') return `${count.atLeast} or more ${more}`
  return `${count} ${count === 1 ? one : more}`
}

/** Lines enough to see what it is about. */
export const some = (lines: readonly string[], most = 10): string[] =>
  lines.length > most ? [...lines.slice(0, most), `… and ${lines.length - most} more`] : [...lines]
