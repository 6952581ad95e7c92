import { join, relative } from 'node:path'
import type { Mailbox } from '@nexus/core'
import { runningAttemptsOf, runsBeside } from '@nexus/engine'
import type { Holds } from '../loop/hold.ts'
import type { Runner } from '../runner/index.ts'
import type { MailboxSource } from './collector.ts'

export interface RunMailboxesOptions {
  /** Absolute; of the host. */
  root: string
  own: Pick<Mailbox, 'file'>
  /** The mailbox below a folder, once somebody made it. */
  below(folder: string): MailboxSource
  runner: Pick<Runner, 'folder'>
  holds: Holds
}

/**
 * Where agents that run side by side report: one file serves one issue, so each of them gets a folder of its own below its
 * run. Everyone else uses the root's.
 */
export interface RunMailboxes {
  /** Those of the runs that are under way side by side. */
  open(): MailboxSource[]
  /** The absolute place of the summary file of an attempt. */
  file(place: { project: string; issueNumber: string; attempt: string; isBeside: boolean }): string
}

export const createRunMailboxes = ({ root, own, below, runner, holds }: RunMailboxesOptions): RunMailboxes => {
  const sources = new Map<string, MailboxSource>()
  const folderOf = (attempt: string): string => join(runner.folder(attempt).folder, 'mailbox')

  const sourceOf = (attempt: string): MailboxSource => {
    const source = sources.get(attempt) ?? below(folderOf(attempt))
    sources.set(attempt, source)
    return source
  }

  return {
    open() {
      const attempts = [...holds.values()].flatMap(({ document }) =>
        document && runsBeside(document) ? runningAttemptsOf(document) : [],
      )
      for (const attempt of sources.keys()) if (!attempts.includes(attempt)) sources.delete(attempt)
      return attempts.map(sourceOf)
    },
    file({ project, issueNumber, attempt, isBeside }) {
      const file = own.file(project, issueNumber)
      return isBeside ? join(folderOf(attempt), relative(root, file)) : file
    },
  }
}
