import { statSync } from 'node:fs'
import type { Mailbox } from '@nexus/core'
import { createBell } from '../loop/bell.ts'
import type { MailboxSource } from './collector.ts'

const exists = (folder: string): boolean => statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false

/**
 * The mailbox below a folder that agents work in, opened once an agent made it: opening makes its root, and a workspace
 * is somebody's repository.
 */
export const createWorkspaceMailbox = (folder: string, open: () => Promise<Mailbox>, pollMs: number): MailboxSource => {
  let opening: Promise<Mailbox> | null = null

  const reach = async (): Promise<Mailbox | null> => {
    if (!opening && !exists(folder)) return null
    opening ??= open().catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }

  return {
    isOfAgents: true,
    async collect(completions, options) {
      return (await (await reach())?.collect(completions, options)) ?? { imported: [], rejected: [], waiting: 0 }
    },
    async *watch(signal) {
      const pause = createBell()
      while (!signal.aborted) {
        const mailbox = await reach()
        if (mailbox) return yield* mailbox.watch(signal)
        await pause.wait(pollMs, signal)
      }
    },
  }
}
