import { mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalFiles, JsonValue, Operations, ReplayResult } from '@nexus/core'
import { openJournalFiles } from '@nexus/fs-backend'
import { createFakes } from '@nexus/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshRoot } from '../../fs-backend/test/harness.ts'
import { createJournal, type Journal, journalLimits } from '../src/journal.ts'
import { createReplay } from '../src/replay.ts'

const { clock, context } = createFakes()
let base = ''
let roots = 0
beforeAll(async () => {
  base = await freshRoot()
})
afterAll(() => rm(base, { recursive: true, force: true }))

const freshFiles = async (): Promise<{ root: string; open: () => Promise<JournalFiles> }> => {
  const root = join(base, String(roots++))
  await mkdir(root, { recursive: true })
  return { root, open: () => openJournalFiles({ root, ...context }) }
}

const save = (journal: Journal, id: string, key = 'k', value: JsonValue = id): Promise<string> =>
  journal.append(() => ({
    answer: id,
    record: {
      journaled: { operation: { id, kind: 'state-save', key, value }, at: 1, sent: false, base: { known: 'nothing' } },
    },
  }))

/** Remembers what it applied, as a database would. */
const createTarget = () => {
  const applied: string[] = []
  const replayed = (id: string): ReplayResult => {
    if (applied.includes(id)) return { status: 'already' }
    applied.push(id)
    return { status: 'applied' }
  }
  const replay: Operations['replay'] = async (all) => all.map(({ operation: { id } }) => replayed(id))
  return { applied, operations: { replay } as Operations }
}

const drain = (journal: Journal, operations: Operations) =>
  createReplay({ journal, operations: async () => operations, clock, logger: context.logger, isStopped: () => false })()

describe('the journal of a root', () => {
  test('[C-ROUTE-11] what one process writes is read by every other, in order, until the outage ends for all', async () => {
    const { open } = await freshFiles()
    const [a, b] = [createJournal(await open()), createJournal(await open())]
    expect(await a.view()).toBeNull()
    await save(a, 'one')
    await save(b, 'two')
    await save(a, 'three', 'other')
    const view = await b.view()
    expect(view?.states.get('k')?.text).toBe('"two"')
    expect(view?.states.get('other')?.text).toBe('"three"')
    const { applied, operations } = createTarget()
    expect(await drain(b, operations)).toMatchObject({ replayed: 3, conflicts: 0 })
    expect(applied).toEqual(['one', 'two', 'three'])
    expect(await a.view()).toBeNull()
    await save(a, 'next')
    expect((await b.view())?.generation).toBe(2)
  })

  test('[C-ROUTE-11] the deepest value and the longest name come out as they went in', async () => {
    const { open } = await freshFiles()
    const journal = createJournal(await open())
    const deepest = JSON.parse(`${'['.repeat(512)}${']'.repeat(512)}`)
    await save(journal, 'deep', 'k', deepest)
    await save(journal, 'proto', 'p', JSON.parse('{"__proto__":{"a":1},"1e400":"\\ud800"}'))
    const view = await createJournal(await open()).view()
    expect(view?.states.get('k')?.text).toBe(JSON.stringify(deepest))
    expect(view?.states.get('p')?.text).toBe('{"__proto__":{"a":1},"1e400":"\\ud800"}')
  })

  test('[C-ROUTE-11] a full journal refuses and loses nothing of what it has', async () => {
    const { open } = await freshFiles()
    const journal = createJournal(await open(), { limits: { ...journalLimits, operations: 2 } })
    await save(journal, 'one')
    await save(journal, 'two')
    await expect(save(journal, 'three')).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
    const { applied, operations } = createTarget()
    await drain(journal, operations)
    expect(applied).toEqual(['one', 'two'])
  })

  test('[C-ROUTE-11] a record that was altered, cut or taken away is told of and kept; the others are applied', async () => {
    const { root, open } = await freshFiles()
    const journal = createJournal(await open())
    for (const id of ['one', 'two', 'three', 'four', 'five']) await save(journal, id, id)
    const slot = (n: number): string => join(root, '.journal', '000001', `0000000${n}.json`)
    const text = await readFile(slot(2), 'utf8')
    await writeFile(slot(2), text.replace('"two"', '"twO"'))
    await truncate(slot(3), 60)
    await rename(slot(4), join(root, 'elsewhere'))
    const { applied, operations } = createTarget()
    expect(await drain(createJournal(await open()), operations)).toMatchObject({ replayed: 2, unreadable: 3 })
    expect(applied).toEqual(['one', 'five'])
    for (let generation = 2; generation < 10; generation++) {
      await save(journal, `later-${generation}`)
      await drain(journal, operations)
    }
    expect(await (await open()).generations()).toEqual([1, 5, 6, 7, 8, 9])
  })

  test('[C-ROUTE-12] a replay that stops anywhere goes on, and what was written meanwhile is part of it', async () => {
    const { open } = await freshFiles()
    const journal = createJournal(await open())
    for (const id of ['one', 'two', 'three']) await save(journal, id)
    const { applied, operations } = createTarget()
    let left = 1
    const isStopped = (): boolean => left-- === 0
    const stopped = createReplay({
      journal,
      operations: async () => operations,
      clock,
      logger: context.logger,
      isStopped,
    })
    expect(await stopped()).toBeNull()
    expect(applied).toEqual(['one', 'two', 'three'])
    const peer = createJournal(await open())
    await save(peer, 'four')
    await drain(peer, operations)
    expect(applied).toEqual(['one', 'two', 'three', 'four'])
  })
})

type Step = { who: number; does: 'write' | 'drain' }

test('[C-ROUTE-12] however writers and replayers of a root race, each acknowledged operation is applied once, in order per writer', async () => {
  const steps = fc.array(
    fc.record<Step>({ who: fc.nat(3), does: fc.constantFrom('write', 'write', 'write', 'drain') }),
    { minLength: 20, maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const { open } = await freshFiles()
      const journals = await Promise.all([0, 1, 2, 3].map(async () => createJournal(await open())))
      const { applied, operations } = createTarget()
      const acknowledged: string[] = []
      const turns = journals.map((journal, who) => async (): Promise<void> => {
        for (const [index, step] of all.entries())
          if (step.who === who) {
            if (step.does === 'drain') await drain(journal, operations)
            else acknowledged.push(await save(journal, `${who}-${String(index).padStart(3, '0')}`))
          }
      })
      await Promise.all(turns.map((turn) => turn()))
      for (const journal of journals) await drain(journal, operations)
      expect([...applied].sort()).toEqual([...acknowledged].sort())
      for (const who of [0, 1, 2, 3]) {
        const own = applied.filter((id) => id.startsWith(`${who}-`))
        expect(own).toEqual([...own].sort())
      }
    }),
    { numRuns: 20 },
  )
})
