import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InboxStore } from '@nexus/core'
import { createFakes, type FakeClock } from '@nexus/testkit'
import { createInbox } from '../src/inbox/inbox.ts'
import { openTools } from '../src/tools.ts'

/** One inbox on a folder of its own, and what a test may do around it. */
export interface InboxOpening extends AsyncDisposable {
  root: string
  clock: FakeClock
  inbox: InboxStore
  /** Another opening of the same folder, as another process would have it. */
  peer(): Promise<InboxStore>
  kill(worker: string): void
  /** What a person does: writes a file in place. */
  drop(project: string, filename: string, markdown: string): Promise<string>
  /** A path among the hidden files. */
  hidden(...parts: string[]): string
}

export const openInbox = async (): Promise<InboxOpening> => {
  const root = await mkdtemp(join(tmpdir(), 'nexus-inbox-'))
  const { clock, context, kill } = createFakes()
  const peer = async (): Promise<InboxStore> => createInbox(await openTools(root, context, () => false))
  return {
    root,
    clock,
    inbox: await peer(),
    peer,
    kill,
    async drop(project, filename, markdown) {
      const folder = join(root, 'inbox', project)
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, filename), markdown)
      return join(folder, filename)
    },
    hidden: (...parts) => join(root, 'inbox', '.q', ...parts),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}
