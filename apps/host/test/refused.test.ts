import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProgram, type Program, start } from './program.ts'

const proofAgent = fileURLToPath(new URL('../proof/agents/agent.mjs', import.meta.url))

describe('an agent whose host is gone, with something else at its port', () => {
  let program: Program
  beforeAll(async () => {
    program = await buildProgram()
  })
  afterAll(() => program[Symbol.asyncDispose]())

  const agents = {
    "the demonstration's": () => ({ main: join(dirname(program.main), 'demo-agent.js'), args: [] }),
    "the proofs'": (log: string) => ({ main: proofAgent, args: ['post', log] }),
  }

  test.each(
    Object.entries(agents).flatMap(([name, agent]) => [401, 404].map((status) => [name, status, agent] as const)),
  )('%s is answered %i once, and writes the file', async (_, status, agent) => {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-refused-'))
    let asked = 0
    const other = createServer((request, response) => {
      asked += 1
      request.resume()
      response.writeHead(status).end('something else')
    }).listen(0, '127.0.0.1')
    await once(other, 'listening')
    try {
      const log = join(folder, 'agents.log')
      const file = join(folder, 'completions', 'completion_summary_5.json')
      const { main, args } = agent(log)
      const env = {
        NEXUS_COMPLETION_URL: `http://127.0.0.1:${(other.address() as AddressInfo).port}/api/v1/completion`,
        NEXUS_COMPLETION_FILE: file,
        NEXUS_COMPLETION_TOKEN: 'token',
        NEXUS_ATTEMPT: 'at-00000001',
        NEXUS_PROJECT: 'shop',
        NEXUS_ISSUE: '5',
        NEXUS_STEP: 'develop',
        NEXUS_AGENT: 'developer',
      }
      const { code, stdout } = await start({ ...program, main }, args, { cwd: folder, env, input: 'Do it.' }).ended
      expect(code).toBe(0)
      expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ issue_number: '5', attempt_id: 'at-00000001' })
      expect(asked).toBe(1)
      const said = stdout + (await readFile(log, 'utf8').catch(() => ''))
      expect(said).toMatch(new RegExp(`(POST:|REFUSED) ${status}`))
    } finally {
      other.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
