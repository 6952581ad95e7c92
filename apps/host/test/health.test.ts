import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Health, StoreName } from '@nexus/core'
import { StoreError, storeNames } from '@nexus/core'
import type { JournalState } from '@nexus/router'
import { describe, expect, test } from 'vitest'
import { createHostCheck } from '../src/api/host-check.ts'
import type { Storage } from '../src/telemetry/storage.ts'
import { mkfifoSync } from './fifo.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

const createStorage = () => {
  const down = new Map<StoreName, string>()
  const state: { journal: JournalState | null; answers: () => Promise<void> } = {
    journal: null,
    answers: async () => undefined,
  }
  const healthOf = (store: StoreName): Health => {
    const reason = down.get(store)
    return reason === undefined ? { status: 'ok' } : { status: 'down', reason, since: 0 }
  }
  const storage: Storage = {
    fallsBack: ['hostState', 'completions'],
    journal: async () => state.journal,
    async map() {
      await state.answers()
      return storeNames.map((store) => ({ store, backend: 'postgres', decidedBy: 'default', health: healthOf(store) }))
    },
  }
  return { storage, down, state }
}

describe('what supervisors ask', () => {
  const bench = useBench()

  const open = async (storage: Storage) => {
    const t = bench()
    await t.configure({ triage: `sh ${agentPath('gated.sh')}` })
    const host = await t.open({ storage })
    const ask = async (path: string) => {
      const answer = await fetch(`${host.api.url}${path}`)
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
    }
    const controller = new AbortController()
    return {
      t,
      host,
      ask,
      controller,
      run: () => host.run({ once: false, signal: controller.signal }),
      ready: async () => (await ask('/readyz')).status === 200,
    }
  }

  test('/healthz says without a token that the process turns', async () => {
    const { ask } = await open(createStorage().storage)
    expect(await ask('/healthz')).toEqual({
      status: 200,
      body: { status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+/), uptime_seconds: expect.any(Number) },
    })
  })

  test('/readyz follows the host from its start to its end', async () => {
    const { ask, run, ready, controller } = await open(createStorage().storage)
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { reasons: ['the host is starting'] } })
    const running = run()
    await until('ready', ready)
    expect(await ask('/readyz')).toEqual({
      status: 200,
      body: { status: 'ready', stores: Object.fromEntries(storeNames.map((store) => [store, 'ok'])) },
    })
    controller.abort()
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { reasons: ['the host is stopping'] } })
    await running
  })

  test('/readyz: a store that is down counts unless the journal answers in its place', async () => {
    const { storage, down, state } = createStorage()
    const { ask, run, ready, controller } = await open(storage)
    const running = run()
    await until('ready', ready)

    down.set('completions', 'no route')
    await until('the fallback', async () => JSON.stringify((await ask('/readyz')).body).includes('fallback'))
    expect(await ask('/readyz')).toMatchObject({ status: 200, body: { stores: { completions: 'fallback' } } })

    state.journal = { operations: 5, bytes: 5, since: 0, place: '/journal', isFull: true }
    await until('the full journal', async () => !(await ready()))
    expect((await ask('/readyz')).body['reasons']).toEqual(['completions (postgres): the journal is full: /journal'])

    state.journal = null
    down.set('workflows', 'no route')
    await until('the workflows', async () => JSON.stringify((await ask('/readyz')).body).includes('workflows ('))
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: { reasons: ['workflows (postgres): no route'], stores: { workflows: 'down', completions: 'fallback' } },
    })
    controller.abort()
    await running
  })

  test('/readyz: an inbox that cannot be claimed from counts', async () => {
    const { storage } = createStorage()
    const t = bench()
    const away = { is: false }
    const claim: typeof t.stores.inbox.claim = (...call) =>
      away.is ? Promise.reject(new StoreError({ code: 'unavailable', message: 'away' })) : t.stores.inbox.claim(...call)
    await t.configure({ triage: `sh ${agentPath('gated.sh')}` })
    const host = await t.open({ storage, stores: { ...t.stores, inbox: { ...t.stores.inbox, claim } } })
    const controller = new AbortController()
    const running = host.run({ once: false, signal: controller.signal })
    const reasons = async () => {
      const answer = await fetch(`${host.api.url}/readyz`)
      return answer.status === 200 ? null : ((await answer.json()) as { reasons: string[] }).reasons
    }
    await until('ready', async () => (await reasons()) === null)
    away.is = true
    await until('not ready', async () => (await reasons())?.includes('the inbox cannot be claimed from'))
    away.is = false
    await until('ready again', async () => (await reasons()) === null)
    controller.abort()
    await running
  })

  test('/readyz and /metrics answer in bounded time while a store says nothing', async () => {
    const { storage, state } = createStorage()
    const { ask, run, host, controller } = await open(storage)
    let release = (): void => undefined
    const silence = new Promise<void>((resolve) => {
      release = resolve
    })
    state.answers = () => silence
    const running = run()
    expect(await ask('/readyz')).toMatchObject({
      status: 503,
      body: { reasons: ['the stores: no answer within 1500 ms'] },
    })
    const metrics = await (await fetch(`${host.api.url}/metrics`)).text()
    expect(metrics).toContain('nexus_scrape_errors_total{reading="stores"} 1\n')
    expect((await ask('/healthz')).status).toBe(200)
    release()
    controller.abort()
    await running
  })

  test('what is held is told as a person follows it', async () => {
    const t = bench()
    const role = `sh ${agentPath('progress.sh')}`
    await t.configure({ triage: role, developer: `sh ${agentPath('by-file.sh')}` })
    mkfifoSync(join(t.workspace, 'gate-s1'))
    await t.stores.inbox.enqueue([{ project: 'shop', filename: 'cart.md', markdown: '**Issue:** 12' }])
    const host = await t.open()
    expect(host.held()).toEqual([])
    const running = t.once(host)
    await until('the progress', () => host.held()[0]?.progress)
    expect(host.held()).toEqual([
      {
        project: 'shop',
        issueNumber: '12',
        filename: 'cart.md',
        running: [{ number: 1, name: 's1', agent: 'triage', since: expect.any(Number) }],
        steps: 2,
        progress: 'half of s1',
      },
    ])
    await writeFile(join(t.workspace, 'gate-s1'), 'go\n')
    expect(await running).toBe('done')
    expect(host.held()).toEqual([])
  })

  test('a page in a browser reaches none of it', async () => {
    const { host } = await open(createStorage().storage)
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      const status = await new Promise((resolve, reject) => {
        const sent = request(`${host.api.url}${path}`, { headers: { Host: 'evil.example' } }, (answer) =>
          resolve(answer.statusCode),
        )
        sent.on('error', reject).end()
      })
      expect(status).toBe(403)
    }
  })
})

describe('who is answered', () => {
  const local = createHostCheck({ listen: '127.0.0.1', hosts: ['nexus-host'] })
  const open = createHostCheck({ listen: '0.0.0.0', hosts: ['Nexus-Host'] })

  test.each([
    ['127.0.0.1:7420', true, true],
    ['localhost', true, true],
    ['[::1]:80', true, true],
    ['10.0.0.5:7420', false, true],
    ['[fd00::5]:7420', false, true],
    ['nexus-host:7420', false, true],
    ['evil.example', false, false],
    ['localhost.evil.example', false, false],
    ['127.0.0.1@evil.example', false, false],
    ['', false, false],
    [undefined, false, false],
  ])('Host %s', (host, locally, openly) => {
    expect([local(host, undefined), open(host, undefined)]).toEqual([locally, openly])
  })

  test.each([
    ['http://localhost:3000', true],
    ['https://nexus-host', true],
    ['http://10.0.0.5', false],
    ['https://evil.example', false],
    ['null', false],
  ])('Origin %s', (origin, isServed) => {
    expect(open('127.0.0.1', origin)).toBe(isServed)
  })
})
