import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger, type LogOptions } from '../src/logging.ts'
import { agentPath } from './host-harness.ts'
import { buildProgram, type Program, start } from './program.ts'

const written = (options: Omit<LogOptions, 'destination'>): Promise<string> => {
  const destination = new PassThrough()
  const logger = createLogger({ ...options, destination })
  logger.debug('small', { n: 1 })
  logger.info('step started', { project: 'shop', issue: '12', step: 'a b', attempt: 'at-1', none: null })
  logger.error('bad', { error: 'no "route"\nnow' })
  destination.end()
  return text(destination)
}

describe('the log', () => {
  test('json: an object a line, with the level, the time and every field', async () => {
    const lines = (await written({ format: 'json', color: false, level: 'debug' })).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { level: 20, time: expect.stringMatching(/^\d{4}-.*Z$/), n: 1, msg: 'small' },
      expect.objectContaining({ level: 30, project: 'shop', attempt: 'at-1', none: null, msg: 'step started' }),
      expect.objectContaining({ level: 50, error: 'no "route"\nnow', msg: 'bad' }),
    ])
  })

  test('pretty: a line a message, without what only programs want; plain unless colors are asked for', async () => {
    const plain = await written({ format: 'pretty', color: false, level: 'info' })
    const lines = plain
      .trim()
      .split('\n')
      .map((line) => line.replace(/^\S+ /, ''))
    expect(lines).toEqual([
      'INFO: step started     project=shop issue=12 step="a b"',
      'ERROR: bad              error="no \\"route\\"\\nnow"',
    ])
    expect(await written({ format: 'pretty', color: true, level: 'info' })).toContain('\u001b[')
  })
})

describe('NEXUS_LOG_LEVEL and NEXUS_LOG_FORMAT', () => {
  let program: Program
  let folder: string

  beforeAll(async () => {
    program = await buildProgram()
    folder = await mkdtemp(join(tmpdir(), 'nexus-logging-'))
    await mkdir(join(folder, 'shop'))
    const agents = { triage: { command: ['sh', agentPath('by-file.sh')] } }
    const steps = [{ id: 's1', agent_type: 'triage', prompt: 'x' }]
    const config = { projects: { shop: { workspace: './shop' } }, agents, workflows: { chain: { steps } } }
    await writeFile(join(folder, 'nexus.yaml'), JSON.stringify(config))
  })
  afterAll(async () => {
    await program[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })
  const once = (env: Record<string, string>) => start(program, ['--once'], { cwd: folder, env }).ended

  test('not on a terminal it is json, unless something else is asked for', async () => {
    const json = await once({})
    expect(json.code).toBe(0)
    for (const line of json.stdout.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ level: 30 })
    const pretty = await once({ NEXUS_LOG_FORMAT: ' Pretty ' })
    expect(pretty.stdout).toMatch(/^\S+ INFO: host ready {7}root=/m)
    expect(pretty.stdout).not.toContain('\u001b')
  })

  test('a level leaves out what is less', async () => {
    expect(await once({ NEXUS_LOG_LEVEL: 'warn' })).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await once({ NEXUS_LOG_LEVEL: '' })).stdout).toContain('host ready')
  })

  test.each([
    ['NEXUS_LOG_LEVEL', 'loud', 'Use debug, info, warn, error or silent.'],
    ['NEXUS_LOG_FORMAT', 'xml', 'Use pretty or json.'],
  ])('%s=%s is a configuration error', async (variable, value, advice) => {
    const { code, stdout, stderr } = await once({ [variable]: value })
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^${variable}=${value}: unknown \\w+\\. ${advice.replaceAll('.', '\\.')}\n$`))
  })
})
