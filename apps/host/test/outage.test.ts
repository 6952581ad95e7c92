import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Backend, type Operations, readConfig, StoreError } from '@nexus/core'
import { openJournalFiles } from '@nexus/fs-backend'
import { openRouter } from '@nexus/router'
import { createMemoryData, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { mkfifoSync } from './fifo.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

const byPost = `node ${agentPath('by-post.mjs')}`
const silent = 'echo "$NEXUS_ATTEMPT $NEXUS_PROJECT $NEXUS_ISSUE $NEXUS_STEP" >> starts.log; read -r _ < gate'

/** What the journal needs of a database, on one that only this test writes to. */
const operationsOf = ({ hostState, completions }: Backend): Operations => ({
  saveState: (_, key, value) => hostState.save(key, value),
  patchState: (_, key, change) => hostState.patch(key, change),
  saveCompletion: (_, completion) => completions.save(completion),
  async replay(journaled) {
    for (const { operation } of journaled) {
      if (operation.kind === 'state-save') await hostState.save(operation.key, operation.value)
      else if (operation.kind === 'state-patch') await hostState.patch(operation.key, operation)
      else await completions.save(operation.completion)
    }
    return journaled.map(() => ({ status: 'applied' }))
  },
  conflicts: async () => ({ items: [], corrupt: [], cursor: null }),
  resolve: async () => ({ status: 'absent' }),
})

describe('while the database is away', () => {
  const bench = useBench()
  const enqueue = (filename: string, markdown: string) =>
    bench().stores.inbox.enqueue([{ project: 'shop', filename, markdown }])
  const completed = async (id: string) => (await bench().stores.workflows.load(id))?.state === 'completed'
  const steps = async () => (await bench().starts()).map(({ issue, step }) => `${issue} ${step}`).sort()
  const outageLines = () =>
    bench()
      .log.filter(({ level, message }) => level === 'warn' || level === 'error' || message.includes('again'))
      .map(({ level, message }) => `${level}: ${message.split(';')[0]}`)

  /** A database with host state and completions on it; the rest lies on the bench. */
  const openDatabase = async ({ isAway }: { isAway: boolean }, patienceMs = 60_000) => {
    const { context, stores, root } = bench()
    const away = (): Promise<never> => Promise.reject(new StoreError({ code: 'unavailable', message: 'away' }))
    const memory = openMemoryBackend(context, createMemoryData())
    const guarded = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(of, name) {
          const verb: unknown = Reflect.get(of, name)
          if (typeof verb !== 'function') return verb
          return (...given: unknown[]) => (isAway ? away() : Reflect.apply(verb, of, given))
        },
      })
    const postgres: Backend = {
      ...memory,
      hostState: guarded(memory.hostState),
      completions: guarded(memory.completions),
      operations: guarded(operationsOf(memory)),
      health: async () => (isAway ? { status: 'down', reason: 'away', since: 0 } : { status: 'ok' }),
    }
    const router = await openRouter({
      config: readConfig({
        NEXUS_HOST_STATE_BACKEND: 'postgres',
        NEXUS_COMPLETION_BACKEND: 'postgres',
        NEXUS_STORAGE_DSN: 'postgresql://db.example/nexus',
      }),
      context,
      registry: {
        filesystem: async () => ({ ...stores, async [Symbol.asyncDispose]() {} }),
        postgres: async () => (isAway ? away() : postgres),
      },
      journal: () => openJournalFiles({ root, ...context }),
      probeMs: 20,
    })
    const inOutage = async () => (await router.health('hostState')).status === 'down'
    const host = await bench().open({ stores: router, inOutage, timing: { patienceMs } })
    return {
      host,
      /** What lies in it, however the way there is. */
      memory,
      set(to: { isAway: boolean }) {
        isAway = to.isAway
      },
      [Symbol.asyncDispose]: () => router[Symbol.asyncDispose](),
    }
  }

  const waits = () => bench().log.filter(({ fields }) => String(fields['reason']).startsWith('Whether the agent'))

  test('[C-ROUTE-9] [C-ROUTE-15] tasks that carry a number go through their chains, all end when it is back, and one line each is said', async () => {
    const t = bench()
    await t.configure({ triage: byPost, developer: byPost })
    const named = [11, 12, 13, 14, 15, 16]
    for (const n of [1, 2, 3, 4, 5]) await enqueue(`a${n}.md`, 'no number')
    for (const n of named) await enqueue(`b${n}.md`, `**Issue:** ${n}`)
    await using database = await openDatabase({ isAway: true })
    const running = t.once(database.host)
    for (const n of named) await until(`chain ${n}`, () => completed(`shop-${n}-feature`))
    expect(await steps()).toEqual(named.flatMap((n) => [`${n} s1`, `${n} s2`]))
    expect((await t.stores.inbox.counts()).done).toBe(0)
    expect(outageLines()).toEqual(['warn: A backend is down'])

    database.set({ isAway: false })
    expect(await running).toBe('done')
    expect(await t.stores.inbox.counts()).toMatchObject({ pending: 0, processing: 0, done: 11, failed: 0 })
    expect(await steps()).toHaveLength(22)
    const tracked = (await database.memory.hostState.load('tracked_issues'))?.value ?? {}
    expect(Object.keys(tracked)).toHaveLength(11)
    expect((await database.memory.hostState.load('launched_agents'))?.value).toEqual({})
    expect((await database.memory.completions.history('11')).items).toHaveLength(2)
    expect(outageLines()).toEqual(['warn: A backend is down', 'info: A backend is in use again'])
    expect(t.log.filter(({ level, message }) => level === 'info' && message === 'task claimed')).toHaveLength(11)
  })

  const report = (issueNumber: string, reportId: string) =>
    ({
      project: 'shop',
      issueNumber,
      agentType: 'triage',
      status: 'complete',
      summary: 'elsewhere',
      payload: {},
      reportId,
    }) as const

  test('[C-ROUTE-9] a step whose agent ended is not failed while its report may be in the database', async () => {
    const t = bench()
    await t.configure({ triage: silent, developer: byPost })
    mkfifoSync(join(t.workspace, 'gate'))
    await enqueue('a.md', '**Issue:** 7')
    await using database = await openDatabase({ isAway: false })
    const running = t.once(database.host)
    const { attempt } = await until('the agent', async () => (await t.starts())[0])
    database.set({ isAway: true })
    await database.memory.completions.save(report('7', attempt))
    await writeFile(join(t.workspace, 'gate'), 'go\n')
    await until('the wait', () => waits().length > 3)
    expect(await steps()).toEqual(['7 s1'])
    database.set({ isAway: false })
    expect(await running).toBe('done')
    expect(await steps()).toEqual(['7 s1', '7 s2'])
    expect(await t.stores.workflows.load('shop-7-feature')).toMatchObject({
      data: { steps: [{ report: { summary: 'elsewhere' }, retry_count: 0 }, {}] },
    })
  })

  test('[C-ROUTE-9] an attempt that another host may have run is not started while its report may be in the database', async () => {
    const t = bench()
    await t.configure({ triage: byPost, developer: byPost })
    const attempt = 'at-00000001'
    const agents = ['triage', 'developer'].map((name, index) => ({ id: `s${index + 1}`, agent: { name } }))
    const data = {
      steps: agents.map((step, index) => ({ ...step, ...(index === 0 && { status: 'running', attempt_id: attempt }) })),
    }
    const place = { id: 'shop-7-feature', name: 'x', project: 'shop', issueNumber: '7' }
    await t.stores.workflows.save({ ...place, state: 'running', currentStep: 0, data }, { ifRev: null })
    await enqueue('a.md', '**Issue:** 7')
    await using database = await openDatabase({ isAway: true })
    await database.memory.completions.save(report('7', attempt))
    const running = t.once(database.host)
    await until('the wait', () => waits().length > 3)
    expect(await steps()).toEqual([])
    database.set({ isAway: false })
    expect(await running).toBe('done')
    expect(await steps()).toEqual(['7 s2'])
  })

  test('a host that comes while the inbox is away keeps the agents alive that an earlier one left', async () => {
    const t = bench()
    await t.configure({ triage: silent })
    mkfifoSync(join(t.workspace, 'gate'))
    await enqueue('a.md', '**Issue:** 7')
    const ending = new AbortController()
    const first = (await t.open()).run({ once: false, signal: ending.signal })
    const { attempt } = await until('the agent', async () => (await t.starts())[0])
    ending.abort()
    await first
    const away = (): Promise<never> => Promise.reject(new StoreError({ code: 'unavailable', message: 'away' }))
    const inbox = { ...t.stores.inbox, claim: away, resume: away, sweep: away, heartbeat: away }
    const host = await t.open({ stores: { ...t.stores, inbox }, timing: { renewMs: 20 } })
    const renewedAt = async () => (await stat(t.runner.folder(attempt).lease)).mtimeMs
    const before = await renewedAt()
    const again = new AbortController()
    const second = host.run({ once: false, signal: again.signal })
    await until('a renewal', async () => (await renewedAt()) > before, 5_000).finally(() => again.abort())
    await second
  })

  test('--once gives up on a database that stays away, and says so', async () => {
    const t = bench()
    await t.configure({ triage: byPost })
    await enqueue('a.md', 'no number')
    await enqueue('b.md', '**Issue:** 7')
    await using database = await openDatabase({ isAway: true }, 500)
    expect(await t.once(database.host)).toBe('unreachable')
    expect(t.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'a store cannot be reached for too long; what is left waits for the next run',
    ])
    expect(await steps()).toEqual(['7 s1'])
  })
})
