import type { CompletionStore, ImportedDrop, Logger, Mailbox } from '@nexus/core'

/** Where summary files are looked for. */
export interface MailboxSource extends Pick<Mailbox, 'collect' | 'watch'> {
  /** Agents made it: where it cannot be looked into, that holds up nothing but what lies in it. */
  readonly isOfAgents?: boolean
}

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
  /** Why a collection of this process rejected the summary file at this path; null for any other path. */
  whyUnreadable(path: string): string | null
}

/** A store that takes nothing now is no fault of the mailbox. */
const watchSaves = (completions: CollectorOptions['completions']) => {
  const failures = new Set<unknown>()
  const save: CompletionStore['save'] = async (completion, options) => {
    try {
      return await completions.save(completion, options)
    } catch (error) {
      failures.add(error)
      throw error
    }
  }
  return { save, isFailure: (error: unknown): boolean => failures.has(error) }
}

interface Memory {
  readonly unreadable: Map<string, string>
  /** Mailboxes that cannot be looked into, as the log says. */
  readonly failing: WeakSet<MailboxSource>
}

const collectOne = async (
  { logger, onImported, onRejected }: CollectorOptions,
  { unreadable, failing }: Memory,
  mailbox: MailboxSource,
  store: Pick<CompletionStore, 'save'>,
): Promise<number> => {
  const collected = await mailbox.collect(store)
  failing.delete(mailbox)
  for (const { path, reason } of collected.rejected) {
    unreadable.set(path, reason)
    onRejected()
  }
  for (const { path, report } of collected.imported) {
    unreadable.delete(path)
    logger.debug('summary file read', { path, issue: report.issueNumber, agent: report.agentType })
  }
  for (const drop of collected.imported) onImported(drop)
  return collected.waiting
}

const collectAll = async (options: CollectorOptions, memory: Memory) => {
  const { save, isFailure } = watchSaves(options.completions)
  let waiting = 0
  for (const mailbox of options.mailboxes()) {
    try {
      waiting += await collectOne(options, memory, mailbox, { save })
    } catch (error) {
      if (!mailbox.isOfAgents || isFailure(error)) throw error
      // Whoever asks what still lies there cannot be told.
      waiting += 1
      if (!memory.failing.has(mailbox))
        options.logger.warn('a mailbox that agents made cannot be looked into', { error: String(error) })
      memory.failing.add(mailbox)
    }
  }
  return { waiting }
}

/** One collection at a time. Who asks during one gets the next: the present one may have passed their file already. */
export const createCollector = (options: CollectorOptions): Collector => {
  const memory: Memory = { unreadable: new Map(), failing: new WeakSet() }
  let running: Promise<{ waiting: number }> | null = null
  let next: Promise<{ waiting: number }> | null = null

  const begin = (): Promise<{ waiting: number }> => {
    running = collectAll(options, memory).finally(() => {
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

  return { collect, whyUnreadable: (path) => memory.unreadable.get(path) ?? null }
}
