import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { canExist, invalid, type StoreName } from '@nexus/core'

export const taskStates = ['active', 'closed'] as const
export type TaskState = (typeof taskStates)[number]

const maxNameBytes = 255

/** Whether a name can be that of a visible file or folder, so that looking for it makes sense. */
export const isVisibleName = (name: string): boolean =>
  canExist(name) && !name.startsWith('.') && !name.includes('/') && Buffer.byteLength(name) <= maxNameBytes

const segment = (name: string): string => {
  if (!isVisibleName(name)) throw invalid(`${JSON.stringify(name.slice(0, 60))} cannot be the name of a file.`)
  return name
}

export const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** A name of ours for a record of any name, within the length of a file name. */
export const shortHash = (name: string): string => sha256(name).slice(0, 32)

const numbered = (number: number, digits: number): string => String(number).padStart(digits, '0')

/** Names of records inside documented file names, or null where the file is none. */
export const recordName = {
  json: (file: string): string | null => (/^[^.].*\.json$/s.test(file) ? file.slice(0, -5) : null),
  task: (file: string): string | null => (/^[^.].*\.md$/s.test(file) ? file : null),
  generation: (folder: string): number | null => (/^\d{6,}$/.test(folder) ? Number(folder) : null),
  slot: (file: string): number | null => (/^\d{8,}\.json$/.test(file) ? Number.parseInt(file, 10) : null),
  summary: (file: string): string | null => /^completion_summary_(.+)\.json$/s.exec(file)?.[1] ?? null,
} as const

export const summaryFile = (issueNumber: string): string => `completion_summary_${issueNumber}.json`

/**
 * The only place that builds a path. Documented folders hold documented files; what else is ours lies in dot folders
 * beside them. Every name is checked again here, so that no caller can reach outside the root. [C-FILES-1, C-FILES-3]
 */
export const createLayout = (root: string) => {
  const project = (key: string): string => join(root, 'tasks', segment(key))
  const completions = (key: string): string => join(project(key), 'completions')
  const inboxProject = (key: string): string => join(root, 'inbox', segment(key))
  return {
    root,
    temp: join(root, '.tmp'),
    quarantine: join(root, '.quarantine'),
    /** What was acknowledged while the database was down: one folder for each outage, one file for each operation. */
    journal: join(root, '.journal'),
    journalGeneration: (generation: number): string => join(root, '.journal', numbered(generation, 6)),
    journalSlot: (generation: number, slot: number): string =>
      join(root, '.journal', numbered(generation, 6), `${numbered(slot, 8)}.json`),

    workflows: join(root, 'workflows'),
    workflow: (id: string): string => join(root, 'workflows', segment(`${id}.json`)),
    hostState: join(root, 'state'),
    hostStateFile: (key: string): string => join(root, 'state', segment(`${key}.json`)),
    /** Create-once revisions of one record, by the hash of its name. */
    revisions: (hash: string): string => join(root, '.rev', hash),

    projects: join(root, 'tasks'),
    project,
    tasks: (key: string, state: TaskState): string => join(project(key), state),
    task: (key: string, state: TaskState, filename: string): string => join(project(key), state, segment(filename)),
    /** What the markdown does not say: issue number and time of creation. */
    taskFacts: (key: string, filename: string): string => join(project(key), '.meta', shortHash(filename)),

    completions,
    summary: (key: string, issueNumber: string): string => join(completions(key), segment(summaryFile(issueNumber))),
    /** Every key's record: one folder per issue. */
    issues: (key: string): string => join(completions(key), '.by-key'),
    issue: (key: string, issueNumber: string): string => join(completions(key), '.by-key', shortHash(issueNumber)),
    /** Which contents of a summary file are known, and from where. */
    seen: (key: string, issueNumber: string): string => join(completions(key), '.seen', shortHash(issueNumber)),
    /** Which project holds a dedup key. */
    dedupKey(key: string): string {
      const hash = shortHash(key)
      return join(root, '.dedup', hash.slice(0, 2), `${hash}.json`)
    },
    sequence: join(root, '.seq'),
    /** Names this root among all. */
    identity: join(root, '.identity'),
    /** Which stores have gone to another backend: one file for each. */
    moved: join(root, '.moved'),
    movedStore: (store: StoreName): string => join(root, '.moved', `${store}.json`),

    inbox: join(root, 'inbox'),
    inboxProject,
    /** A pending task's documented place. */
    inboxTask: (key: string, filename: string): string => join(inboxProject(key), segment(filename)),
    /** Hidden files of the inbox beside the project's pending ones; the parts are ours, not callers'. */
    inboxHidden: (key: string, ...parts: string[]): string => join(inboxProject(key), '.q', ...parts),
    /** Hidden files of the inbox that no single project owns. */
    inboxShared: (...parts: string[]): string => join(root, 'inbox', '.q', ...parts),
  }
}

export type Layout = ReturnType<typeof createLayout>
