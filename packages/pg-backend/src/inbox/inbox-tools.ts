import type { PgTools } from '../tools.ts'

export interface InboxTools extends PgTools {
  /** Says that there may be work for these projects. Returns at once: it is a hint, and a poll finds what it misses. */
  wake(projects: Iterable<string>): void
}
