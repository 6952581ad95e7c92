import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { Backend, EnqueueTask, InboxStore, InboxTask } from '@nexus/core'
import { createFakes, type FakeClock } from '@nexus/testkit'
import { openFsBackend } from '../src/index.ts'

export const leaseMs = 60_000
export const hour = 3_600_000

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
  /** A path below the inbox's folder. */
  at(...parts: string[]): string
}

export const openInbox = async (given?: string): Promise<InboxOpening> => {
  const root = given ?? (await mkdtemp(join(tmpdir(), 'nexus-inbox-')))
  const { clock, context, kill } = createFakes()
  const openings: Backend[] = []
  const peer = async (): Promise<InboxStore> => {
    const backend = await openFsBackend({ root, ...context })
    openings.push(backend)
    return backend.inbox
  }
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
    at: (...parts) => join(root, 'inbox', ...parts),
    async [Symbol.asyncDispose]() {
      for (const backend of openings) await backend[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

export const task = (fields: Partial<EnqueueTask> = {}): EnqueueTask => ({
  project: 'apollo',
  filename: 'fix-login.md',
  markdown: '# Fix the login\n',
  ...fields,
})

export const claimUpTo = (inbox: InboxStore, limit: number, worker = 'worker-1') =>
  inbox.claim({ worker, limit, leaseMs })

export const claimOne = async (inbox: InboxStore, worker?: string) => {
  const [claimed] = await claimUpTo(inbox, 1, worker)
  if (!claimed) throw new Error('Expected a task to be claimable.')
  return claimed
}

export const enqueueOne = async (inbox: InboxStore, fields: Partial<EnqueueTask> = {}): Promise<string> => {
  const [result] = await inbox.enqueue([task(fields)])
  if (result?.status !== 'enqueued') throw new Error(`Expected the task to be enqueued, not ${result?.status}.`)
  return result.id
}

/** Every task there is, over all pages. */
export const listAll = async (inbox: InboxStore): Promise<InboxTask[]> => {
  const items: InboxTask[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await inbox.list({ limit: 50, ...(cursor ? { cursor } : {}) })
    if (page.corrupt.length > 0) throw new Error(`Corrupt: ${JSON.stringify(page.corrupt)}`)
    items.push(...page.items)
    cursor = page.cursor
  }
  return items
}

/** Whatever the crash left: holds that nobody renews are swept, and what is due is worked off. */
export const recover = async (t: InboxOpening): Promise<InboxStore> => {
  const inbox = await t.peer()
  await inbox.sweep()
  t.clock.advance(leaseMs + 1000)
  await inbox.sweep()
  t.clock.advance(hour)
  await inbox.sweep()
  return inbox
}

/** Files of ours that are neither tasks with their records nor what a later call needs. */
export const hiddenFiles = async (t: InboxOpening): Promise<string[]> => {
  const entries = await readdir(t.at('.q'), { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(t.at('.q'), join(entry.parentPath, entry.name)))
  /** What an ended task and its record have in common. */
  const endedOf = (path: string): string | null => {
    const [, status, month, hold] = /^(done|failed)\/([^/]+)\/(.+)\.md$/.exec(path) ?? []
    if (hold !== undefined) return `${hold}.${status}.${month}`
    return /^ended\/[^/]+\/(.+)\.json$/.exec(path)?.[1] ?? null
  }
  const isEnded = (path: string): boolean => {
    const ended = endedOf(path)
    return ended !== null && files.filter((other) => endedOf(other) === ended).length === 2
  }
  return files.filter((path) => path !== 'news' && !path.startsWith('holders/') && !isEnded(path))
}
