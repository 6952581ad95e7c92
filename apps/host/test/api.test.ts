import { readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { StoreError } from '@nexus/core'
import { createAttemptId } from '@nexus/engine'
import { describe, expect, test } from 'vitest'
import { completionPath } from '../src/api/app.ts'
import { openTokens } from '../src/api/tokens.ts'
import { agentPath, useBench } from './host-harness.ts'

describe('POST /api/v1/completion', () => {
  const bench = useBench()

  const open = async (stores = bench().stores) => {
    const t = bench()
    await t.configure({ triage: `sh ${agentPath('crash.sh')}` })
    const host = await t.open({ stores })
    const token = (await readFile(join(t.root, 'host', 'token'), 'utf8')).trim()
    const post = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${host.api.url}${completionPath}`, {
        method: 'POST',
        body,
        headers: { Authorization: `Bearer ${token}`, ...headers },
      })
    return { t, host, post, token }
  }

  const report = { issue_number: 5, agent_type: '@triage', summary: 'seen', project: 'shop' }

  test('stores the report verbatim and answers 201 with its dedup key', async () => {
    const { t, post } = await open()
    const answer = await post(JSON.stringify({ ...report, verdict: { odd: [1] } }))
    expect(answer.status).toBe(201)
    expect(await answer.json()).toEqual({ dedup_key: '5:triage:complete' })
    expect((await t.stores.completions.history('5')).items).toMatchObject([
      { project: 'shop', agentType: 'triage', payload: { issue_number: 5, verdict: { odd: [1] } } },
    ])
  })

  test('a second time it is stored just so, and nothing is written', async () => {
    const { t, post } = await open()
    await post(JSON.stringify(report))
    const [first] = (await t.stores.completions.history('5')).items
    expect((await post(JSON.stringify(report))).status).toBe(201)
    expect((await t.stores.completions.history('5')).items).toEqual([first])
  })

  test("an attempt's token names the attempt; it is no token for another one", async () => {
    const { t, post } = await open()
    const [mine, other] = [createAttemptId('00000001'), createAttemptId('00000002')]
    const headers = { Authorization: `Bearer ${(await openTokens(t.root)).forAttempt(mine)}` }
    expect((await post(JSON.stringify(report), headers)).status).toBe(201)
    expect((await t.stores.completions.history('5')).items).toMatchObject([{ reportId: mine }])
    expect((await post(JSON.stringify({ ...report, attempt_id: other }), headers)).status).toBe(403)
  })

  test.each([
    ['{"issue_number": 1', 400],
    ['[]', 400],
    ['{"agent_type": "triage", "summary": "s"}', 400],
    ['{"issue_number": "../1", "agent_type": "triage", "summary": "s", "project": "shop"}', 400],
    ['{"issue_number": 1, "agent_type": "triage", "summary": "s", "project": "../etc"}', 400],
    ['{"issue_number": 1, "agent_type": "triage"}', 400],
    ['{"issue_number": 77, "agent_type": "triage", "summary": "s"}', 409],
    [JSON.stringify({ ...report, comment_markdown: 'x'.repeat(9 * 1024 * 1024) }), 413],
  ])('refuses %.60s', async (body, status) => {
    const { t, post } = await open()
    const answer = await post(body)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ error: expect.any(String) })
    expect((await t.stores.completions.scan()).items).toEqual([])
  })

  test.each([
    ['that says its length', { 'Content-Length': String(100 * 1024 * 1024) }],
    ['that does not', { 'Transfer-Encoding': 'chunked' }],
  ])('100 MB in a request %s are refused before they have come, and the log says so', async (_, length) => {
    const { t, host, token } = await open()
    const piece = Buffer.alloc(256 * 1024, ' ')
    const sent = await new Promise<{ status: number | undefined; pieces: number }>((resolve, reject) => {
      let pieces = 0
      const headers = { Authorization: `Bearer ${token}`, ...length }
      const upload = request(`${host.api.url}${completionPath}`, { method: 'POST', headers }, (answer) => {
        answer.resume()
        resolve({ status: answer.statusCode, pieces })
        upload.destroy()
      })
      const more = (): void => {
        while (pieces < 400 && !upload.destroyed) {
          pieces += 1
          if (!upload.write(piece)) return void upload.once('drain', more)
        }
      }
      upload.on('error', (error) => (upload.destroyed ? null : reject(error)))
      more()
    })
    expect(sent.status).toBe(413)
    expect(sent.pieces).toBeLessThan(400)
    expect(t.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'report refused',
        fields: expect.objectContaining({ status: 'too-long' }),
      }),
    )
    expect((await t.stores.completions.scan()).items).toEqual([])
  })

  test('without a token of this root: 401', async () => {
    const { t, post } = await open()
    for (const Authorization of ['', 'Bearer nonsense', `Bearer ${createAttemptId('00000001')}.${'0'.repeat(64)}`])
      expect((await post(JSON.stringify(report), { Authorization })).status).toBe(401)
    expect((await t.stores.completions.scan()).items).toEqual([])
  })

  test('a page in a browser cannot reach it, under whatever name', async () => {
    const { host, post, token } = await open()
    expect((await post(JSON.stringify(report), { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(JSON.stringify(report), { Origin: 'http://localhost:3000' })).status).toBe(201)
    const status = await new Promise((resolve, reject) => {
      const headers = { Host: 'evil.example', Authorization: `Bearer ${token}` }
      const sent = request(`${host.api.url}${completionPath}`, { method: 'POST', headers }, (answer) =>
        resolve(answer.statusCode),
      )
      sent.on('error', reject).end(JSON.stringify(report))
    })
    expect(status).toBe(403)
  })

  test('503 while the store cannot be reached', async () => {
    const { stores } = bench()
    const down = () => Promise.reject(new StoreError({ code: 'unavailable', message: 'down' }))
    const { post } = await open({ ...stores, completions: { ...stores.completions, save: down } })
    const answer = await post(JSON.stringify(report))
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  test('secret and token are readable by their owner alone, and outlive the host', async () => {
    const { t, token } = await open()
    for (const name of ['secret', 'token']) expect((await stat(join(t.root, 'host', name))).mode & 0o777).toBe(0o600)
    expect((await openTokens(t.root)).read(token)).toEqual({ kind: 'host' })
  })

  test('the next host listens where the last one did', async () => {
    const { t, host } = await open()
    await host.close()
    const next = await t.open()
    expect(next.api.port).toBe(host.api.port)
  })
})
