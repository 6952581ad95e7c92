import type { CompletionStore, ImportedDrop, Logger, Mailbox } from '@nexus/core'

/** Where summary files are looked for. */
export type MailboxSource = Pick<Mailbox, 'collect' | 'watch'>

export interface CollectorOptions {
  completions: Pick<CompletionStore, 'save'>
  /** Those that there are now. */
  mailboxes(): readonly MailboxSource[]
  logger: Logger
  /** Hears of each that was imported, after all that lay there with it. */
  onImported(drop: ImportedDrop): void
  /** Hears of a file that stays unreadable, once. */
  onRejected(): void
}

/** Imports summary files that lie there now; says how many cannot be read yet. */
export type Collect = () => Promise<{ waiting: number }>

export interface Collector {
  collect: Collect
  /** Why the summary file at this path cannot be read; null for any other path. */
  whyUnreadable(path: string): string | null
}

const collectAll = async (
  { completions, mailboxes, logger, onImported, onRejected }: CollectorOptions,
  unreadable: Map<string, string>,
) => {
  let waiting = 0
  for (const mailbox of mailboxes()) {
    const collected = await mailbox.collect(completions)
    waiting += collected.waiting
    for (const { path, reason } of collected.rejected) {
      unreadable.set(path, reason)
      onRejected()
    }
    for (const { path, report } of collected.imported) {
      unreadable.delete(path)
      logger.debug('summary file read', { path, issue: report.issueNumber, agent: report.agentType })
    }
    for (const drop of collected.imported) onImported(drop)
  }
  return { waiting }
}

/** One collection at a time. Who asks during one gets the next: the present one may have passed their file already. */
export const createCollector = (options: CollectorOptions): Collector => {
  const unreadable = new Map<string, string>()
  let running: Promise<{ waiting: number }> | null = null
  let next: Promise<{ waiting: number }> | null = null

  const begin = (): Promise<{ waiting: number }> => {
    running = collectAll(options, unreadable).finally(() => {
      running = null
    })
    return running
  }

  const collect: Collect = () => {
    if (!running) return begin()
    next ??= running
      .catch(() => null)
      .then(() => {
        next = null
        return begin()
      })
    return next
  }

  return { collect, whyUnreadable: (path) => unreadable.get(path) ?? null }
}
