import { lstatSync, mkdirSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import {
  type CallOptions,
  type CompletionStore,
  isStoreError,
  type Mailbox,
  maxReportBytes,
  StoreError,
} from '@nexus/core'
import { createCatalog, type FactReader } from '../catalog.ts'
import { isDenied } from '../fs-errors.ts'
import { isVisibleName, recordName } from '../layout.ts'
import { look } from '../look.ts'
import type { FsTools } from '../tools.ts'
import { watchFolder } from '../watch.ts'
import type { DropPlace, Drops } from './drops.ts'
import type { Seen } from './seen.ts'

/** Agents are told a place before anything was stored there; no symlink is followed to make it. */
const prepareFolder = (root: string, folder: string): void => {
  let at = root
  for (const part of relative(root, folder).split(sep)) {
    at = join(at, part)
    mkdirSync(at, { recursive: true })
    if (!lstatSync(at).isDirectory())
      throw new StoreError({ code: 'unavailable', message: `${at}: a symlink or file stands where a folder belongs.` })
  }
}

/** What was meant for a summary, by a program that got the name wrong. */
const nearName = /^completion[-_ ]?summary.*\.json$/i

/** Tells of summaries that nobody will ever read, once each. */
const createMisnamed = ({ logger }: Pick<FsTools, 'logger'>) => {
  const told = new Set<string>()
  return (folder: string, name: string): void => {
    if (!nearName.test(name) || told.size > 1_000) return
    const path = join(folder, name)
    if (told.has(path)) return
    told.add(path)
    const reason = 'Its name is not completion_summary_{issue}.json.'
    logger.warn('A completion summary is not read; it stays where it is', { path, reason })
  }
}

interface Refused {
  path: string
  reason: string
}

/** What this user is not let at: told of once, for as long as it stays so. */
const createDenials = ({ logger }: Pick<FsTools, 'logger'>) => {
  let told: ReadonlySet<string> = new Set()
  return () => {
    const denied = new Set<string>()
    const news: Refused[] = []
    return {
      news,
      async unlessDenied<T>(path: string, work: () => Promise<T>): Promise<T | null> {
        try {
          return await work()
        } catch (error) {
          if (!isDenied(error)) throw error
          denied.add(path)
          if (told.has(path)) return null
          const reason = error instanceof Error ? error.message : String(error)
          news.push({ path, reason })
          logger.warn('Completion summaries cannot be read here; they stay where they are', { path, reason })
          return null
        }
      },
      end(): void {
        told = denied
      },
    }
  }
}

type Denials = ReturnType<ReturnType<typeof createDenials>>

/** Whoever stores them has a user's rights of its own: what it is refused is not the summary's fault. */
const toldApart = (completions: Pick<CompletionStore, 'save'>): Pick<CompletionStore, 'save'> => ({
  async save(completion, options) {
    try {
      return await completions.save(completion, options)
    } catch (error) {
      if (!isStoreError(error) || !isDenied(error)) throw error
      throw new StoreError({ code: error.code, outcome: error.outcome, message: error.message })
    }
  },
})

/** Summaries whose present content nobody has imported or written here, oldest first. */
const createFind = ({ layout, reading, logger }: FsTools, seen: Seen) => {
  const catalog = createCatalog<boolean>({ reading })
  const tellMisnamed = createMisnamed({ logger })

  const readerOf = (project: string): FactReader<boolean> => ({
    isRecord(name) {
      if (recordName.summary(name) !== null && isVisibleName(name)) return true
      tellMisnamed(layout.completions(project), name)
      return false
    },
    isKind: (stat) => stat.isFile(),
    read(folder, name) {
      try {
        const file = look.read(folder, name, maxReportBytes)
        const issueNumber = recordName.summary(name)
        if (!file || issueNumber === null) return null
        const isSeen = seen.look(folder, { project, issueNumber, ...file }) !== null
        return { facts: isSeen, isPending: !isSeen }
      } catch (error) {
        if (!isDenied(error)) throw error
        // Its import is refused in words.
        return { facts: false, isPending: true }
      }
    },
  })

  async function* inProject(project: string, signal: AbortSignal | undefined) {
    const known = await catalog.look(layout.completions(project), readerOf(project), signal)
    for (const [name, { facts: isSeen, mtimeMs }] of known) {
      const issueNumber = isSeen ? null : recordName.summary(name)
      if (issueNumber === null) continue
      yield { project, issueNumber, path: layout.summary(project, issueNumber), modifiedMs: mtimeMs }
    }
  }

  return async (denials: Denials, signal: AbortSignal | undefined): Promise<DropPlace[]> => {
    const found: (DropPlace & { modifiedMs: number })[] = []
    for (const project of (await reading.folders(layout.projects)).filter(isVisibleName))
      await denials.unlessDenied(layout.completions(project), async () => {
        for await (const place of inProject(project, signal)) found.push(place)
      })
    return found.sort((a, b) => a.modifiedMs - b.modifiedMs)
  }
}

/** The mailbox on opened tools, with the memory that the completion store beside it shares. */
export const createMailbox = (tools: FsTools, { drops, seen }: { drops: Drops; seen: Seen }): Mailbox => {
  const { root, layout, checkOpen } = tools
  const find = createFind(tools, seen)
  const beginDenials = createDenials(tools)
  return {
    file(project, issueNumber) {
      const path = layout.summary(project, issueNumber)
      prepareFolder(root, dirname(path))
      return path
    },
    async collect(completions: Pick<CompletionStore, 'save'>, options?: CallOptions) {
      checkOpen(options)
      const collected: Awaited<ReturnType<Mailbox['collect']>> = { imported: [], rejected: [], waiting: 0 }
      const denials = beginDenials()
      const store = toldApart(completions)
      for (const place of await find(denials, options?.signal)) {
        options?.signal?.throwIfAborted()
        const outcome = await denials.unlessDenied(place.path, () => drops.import(place, store, options))
        if (outcome === null) continue
        if (outcome.status === 'imported') collected.imported.push(outcome.drop)
        if (outcome.status === 'rejected') collected.rejected.push({ path: place.path, reason: outcome.reason })
        if (outcome.status === 'waiting') collected.waiting++
      }
      denials.end()
      collected.rejected.push(...denials.news)
      return collected
    },
    watch: (signal) => watchFolder(layout.projects, signal, (name) => name !== 'active' && name !== 'closed'),
  }
}
