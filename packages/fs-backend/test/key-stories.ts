import { Stats } from 'node:fs'
import { dedupKey } from '@nexus/core'
import { expect } from 'vitest'
import { createDedupKeys } from '../src/completions/dedup-keys.ts'
import { createRecords, recordOf } from '../src/completions/record.ts'
import { createSave } from '../src/completions/save.ts'
import type { Reading } from '../src/reading.ts'
import type { Revisions } from '../src/revisions/revisions.ts'
import type { FsTools } from '../src/tools.ts'
import { inEveryOrder, type Setting, type Step } from './every-order.ts'

const parts = { issueNumber: '7', agentType: 'developer', status: 'complete' } as const
const plainKey = dedupKey(parts)
const projects = ['alpha', 'beta', 'gamma', 'late']

/** What lies there: files, and how often each record was changed. */
interface Place {
  files: Map<string, Buffer>
  changes: Map<string, number>
}

/** What an actor goes by beside the place: what it saw since it began to decide, and how often it has fenced. */
interface Memory {
  seen: (() => unknown)[]
  fences: number
}

const nothing = (): Memory => ({ seen: [], fences: 0 })

/** Makes revisions of a kind that keeps no promise about those who were about to change the record. */
export const withoutFence = (revisions: Revisions): Revisions => ({ ...revisions, fenced: (_, read) => read() })

/**
 * Revisions as they promise to be, one step at a time: of racing changes of one record one happens. A decision's first look
 * and the number it goes by are one step: what changes between the two makes the change fail.
 */
const createSteps = (tools: FsTools, { files, changes }: Place, step: Step, memory: Memory) => {
  const { seen } = memory
  let isFirstLook = false
  const read: Reading['read'] = async (path) => {
    if (!isFirstLook) await step()
    isFirstLook = false
    const bytes = files.get(path)
    seen.push(() => bytes?.toString())
    return bytes ? { bytes, stat: Object.assign(new Stats(), { ino: 1, size: bytes.length, mtimeMs: 0 }) } : null
  }
  const changesOf = (record: string): number => changes.get(record) ?? 0
  const change = (record: string): void => void changes.set(record, changesOf(record) + 1)
  /** Which number it was is all the same to what comes next; whether it is the last still is not. */
  const remember = (record: string): (() => boolean) => {
    const number = changesOf(record)
    const isLast = () => changesOf(record) === number
    seen.push(isLast)
    return isLast
  }
  const commit: Revisions['commit'] = async (record, decide) => {
    for (const { length } = seen; ; seen.length = length) {
      await step()
      const isLast = remember(record)
      isFirstLook = true
      const decision = await decide()
      if ('change' in decision) {
        await step()
        if (!isLast()) continue
        change(record)
        if (decision.change.kind === 'put') files.set(decision.change.path, Buffer.from(decision.change.bytes))
        else files.delete(decision.change.path)
      }
      seen.length = length
      seen.push(() => decision.answer)
      return decision.answer
    }
  }
  const fenced: Revisions['fenced'] = async (record, look) => {
    await step()
    memory.fences++
    change(record)
    seen.push(() => 'fenced')
    return look()
  }
  return {
    reading: { ...tools.reading, read },
    revisions: { ...tools.revisions, commit, fenced },
    // Nothing of the story is on a disk.
    atomic: { ...tools.atomic, syncFolder: async () => undefined },
  }
}

const createActs = (tools: FsTools) => {
  const records = createRecords(tools)
  const keys = createDedupKeys(tools, records)
  const save = createSave(tools, {
    records,
    keys,
    sequence: { next: async () => ({ number: 1, settled: Promise.resolve() }), raise: async () => undefined },
  })
  return {
    async save(project: string): Promise<string> {
      return (await save({ ...parts, project, summary: 'done', payload: {}, reportId: null })).dedupKey
    },
    remove: (project: string): Promise<void> =>
      tools.revisions.commit(recordOf({ ...parts, project }), async () => {
        const document = (await records.read({ ...parts, project }))?.document
        const change = document && ({ kind: 'drop', path: document.path, base: document.stat } as const)
        return change ? { answer: undefined, change } : { answer: undefined }
      }),
    async keyOf(project: string): Promise<string | null> {
      const record = await records.read({ ...parts, project })
      return record?.found.ok ? record.found.item.dedupKey : null
    },
  }
}

type Acts = ReturnType<typeof createActs>

/** Resolves to what it was told last. */
export type Story = (acts: Acts) => Promise<string | null>

export const saves =
  (project: string): Story =>
  ({ save }) =>
    save(project)

export interface Telling {
  tools: FsTools
  stories: readonly Story[]
  kills: number
  /** Whether somebody has the plain key in the end, where nobody is killed. */
  isOneSure: boolean
  /** Puts a bug into the revisions. */
  plant?: (revisions: Revisions) => Revisions
}

/** The stories in every order of their steps; resolves to the number of states. Nobody shares the plain key, ever. */
export const tell = ({ tools, stories, kills, isOneSure, plant = (same) => same }: Telling) => {
  const begin = (): Setting => {
    const place: Place = { files: new Map(), changes: new Map() }
    const actsOf = (step: Step, memory: Memory): Acts => {
      const steps = createSteps(tools, place, step, memory)
      return createActs({ ...tools, ...steps, revisions: plant(steps.revisions) })
    }
    const memories = stories.map(nothing)
    const told: (string | null)[] = []
    const idle = actsOf(async () => undefined, nothing())
    const holders = async (): Promise<string[]> => {
      const keys = await Promise.all(projects.map(idle.keyOf))
      return projects.filter((_, at) => keys[at] === plainKey)
    }
    const actors = memories.map((memory, at) => async (step: Step) => {
      told[at] = (await stories[at]?.(actsOf(step, memory))) ?? null
    })
    return {
      actors,
      fingerprint: () =>
        JSON.stringify([
          [...place.files].map(([path, bytes]) => [path, bytes.toString()]).sort(),
          memories.map(({ seen, fences }) => [fences, seen.map((remembered) => remembered() ?? null)]),
        ]),
      async check(order, killed) {
        const before = await holders()
        expect(before.length, `${order}: ${before.join(' and ')} have the plain key`).toBeLessThanOrEqual(1)
        if (killed === 0 && isOneSure) {
          expect(before, `${order}: nobody has the plain key`).toHaveLength(1)
          expect(told, `${order}: somebody was told so`).toContain(plainKey)
        }
        const late = await idle.save('late')
        expect(await holders(), `${order}, and one who comes later`).toEqual(before.length === 1 ? before : ['late'])
        expect(late === plainKey, order).toBe(before.length === 0)
      },
    }
  }
  return inEveryOrder(begin, { kills })
}
