import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { type Backend, StoreError, silentLogger } from '@nexus/core'
import { createFakes, openMemoryBackend } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { createBell } from '../src/loop/bell.ts'
import { createQuiet, endQuiet, quietHosts, requestQuiet } from '../src/loop/quiet.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

describe('a host whose stores are about to move', () => {
  const bench = useBench()

  const configure = () =>
    bench().write({
      projects: { shop: { workspace: bench().workspace } },
      agents: { developer: { command: ['node', agentPath('scripted.mjs')] } },
      workflows: {
        main: {
          steps: [
            { id: 'one', agent_type: 'developer' },
            { id: 'two', agent_type: 'developer' },
          ],
        },
      },
    })
  const script = (steps: Record<string, unknown[]>) =>
    writeFile(join(bench().workspace, 'script.json'), JSON.stringify(steps))
  const enqueue = (filename: string) => bench().stores.inbox.enqueue([{ project: 'shop', filename, markdown: 'text' }])
  const steps = async () => (await bench().starts()).map(({ step }) => step)
  const answered = (id: string) => async () => (await quietHosts(bench().stores.hostState, id)).includes('w1')

  test('claims nothing and starts no agent while asked to be quiet; what runs goes on, and all is done afterwards', async () => {
    const { stores } = bench()
    await configure()
    await script({ one: ['wait'] })
    await enqueue('a.md')
    const stop = new AbortController()
    const host = await bench().open({ timing: { sweepMs: 50 } })
    const running = host.run({ once: false, signal: stop.signal })
    await until('the first step', async () => (await steps()).length === 1)
    await requestQuiet(stores.hostState, { id: 'm1', beat: 1 })
    await until('the answer', answered('m1'))
    await enqueue('b.md')
    await writeFile(join(bench().workspace, 'go.one'), '')
    const [attempt] = await bench().runner.list()
    await bench().runner.waitForEnd(attempt ?? '')
    await requestQuiet(stores.hostState, { id: 'm1', beat: 2 })
    // Its looks go on: it hears of another request.
    await requestQuiet(stores.hostState, { id: 'm2', beat: 1 })
    await until('the next answer', answered('m2'))
    expect(await steps()).toEqual(['one'])
    expect((await stores.completions.history('1')).items).toEqual([])
    expect(await stores.inbox.counts()).toMatchObject({ pending: 1, processing: 1, done: 0 })
    await endQuiet(stores.hostState)
    await until('both tasks', async () => (await stores.inbox.counts()).done === 2)
    expect((await steps()).sort()).toEqual(['one', 'one', 'two', 'two'])
    expect(await stores.hostState.load('quiet_hosts')).toBeNull()
    stop.abort()
    expect(await running).toBe('stopped')
  })

  for (const store of ['workflows', 'hostState', 'taskFiles'] as const)
    test(`ends also where nothing but ${store} has moved`, async () => {
      const { stores, log } = bench()
      await configure()
      // An idle host meets its host state alone.
      if (store !== 'hostState') await enqueue('a.md')
      const message = `The store ${store} moved to postgres. Set its variable and start again.`
      const refused = () => Promise.reject(new StoreError({ code: 'unavailable', message, movedTo: 'postgres' }))
      const moved = new Proxy(stores[store], { get: () => refused })
      const host = await bench().open({ stores: { ...stores, [store]: moved } })
      expect(await host.run({ once: false, signal: AbortSignal.timeout(20_000) })).toBe('moved')
      expect(log.filter(({ level }) => level === 'error').map(({ fields }) => fields)).toEqual([
        { moved_to: 'postgres', reason: message },
      ])
    })

  test('ends once a store says that it has moved, and tells the variable once', async () => {
    const { stores, log } = bench()
    await configure()
    await enqueue('a.md')
    const message = 'The store inbox moved to postgres. Set NEXUS_INBOX_BACKEND=postgres and start again.'
    const refused = () => Promise.reject(new StoreError({ code: 'unavailable', message, movedTo: 'postgres' }))
    const inbox: Backend['inbox'] = {
      ...stores.inbox,
      claim: refused,
      resume: refused,
      sweep: refused,
      heartbeat: refused,
    }
    const host = await bench().open({ stores: { ...stores, inbox } })
    expect(await host.run({ once: false, signal: AbortSignal.timeout(20_000) })).toBe('moved')
    expect(log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([
      {
        level: 'error',
        message: 'a store has moved; agents go on, and a host with the new variable takes them over',
        fields: { moved_to: 'postgres', reason: message },
      },
    ])
    expect(await bench().starts()).toEqual([])
  })
})

describe('a request to be quiet', () => {
  const open = () => {
    const { clock, context } = createFakes()
    const { hostState } = openMemoryBackend(context)
    const wait = () => turn()
    const quiet = createQuiet({ hostState, worker: 'w1', clock, logger: silentLogger, wait })
    return { clock, hostState, quiet }
  }

  test('that was there before the host is not honoured until its beat goes on', async () => {
    const { hostState, quiet } = open()
    await requestQuiet(hostState, { id: 'm1', beat: 7 })
    await quiet.look()
    expect(quiet.isAsked).toBe(false)
    await requestQuiet(hostState, { id: 'm1', beat: 8 })
    await quiet.look()
    expect(quiet.isAsked).toBe(true)
    expect(await quietHosts(hostState, 'm1')).toEqual(['w1'])
  })

  test('that stands still for half a minute is forgotten', async () => {
    const { clock, hostState, quiet } = open()
    await quiet.look()
    await requestQuiet(hostState, { id: 'm1', beat: 1 })
    await quiet.look()
    clock.advance(29_999)
    await quiet.look()
    expect(quiet.isAsked).toBe(true)
    clock.advance(1)
    await quiet.look()
    expect(quiet.isAsked).toBe(false)
  })

  test('is answered when the agents are there that were being started, and holds up those that come after', async () => {
    const { hostState, quiet } = open()
    const { signal } = new AbortController()
    await quiet.look()
    const began: string[] = []
    const first = createBell()
    const starting = quiet.start(() => first.wait(60_000), signal)
    await requestQuiet(hostState, { id: 'm1', beat: 1 })
    await quiet.look()
    expect(await quietHosts(hostState, 'm1')).toEqual([])
    const later = quiet.start(async () => void began.push('later'), signal)
    first.ring()
    await starting
    await quiet.look()
    expect(await quietHosts(hostState, 'm1')).toEqual(['w1'])
    await turn()
    expect(began).toEqual([])
    await endQuiet(hostState)
    await quiet.look()
    await later
    expect(began).toEqual(['later'])
  })
})
