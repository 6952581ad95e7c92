import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ClaimedTask } from '@nexus/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshRoot } from '../test/harness.ts'
import { buildPrograms } from './building.ts'
import { report } from './writing.ts'

let programs = ''
beforeAll(async () => {
  programs = await buildPrograms()
})
afterAll(() => rm(programs, { recursive: true, force: true }))

interface Teller {
  ask(line: string): Promise<unknown>
  /** Sets its clock, while it runs. */
  jump(offset: string): Promise<void>
  end(): Promise<void>
}

/** The wrapper's own variable would stand above the file that the clock is set with. */
const faked = ['-f', '+0d', 'env', '-u', 'FAKETIME']

/** A process under libfaketime, whose monotonic clock stays true. */
const startTeller = async (built: string, root: string, name: string): Promise<Teller> => {
  const clock = join(built, `clock-${name}`)
  await writeFile(clock, '+0d\n')
  const child = spawn('faketime', [...faked, process.execPath, join(built, 'teller.mjs'), root, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
    },
  })
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(([cause]) => {
      throw new Error('This proof needs the Debian package faketime.', { cause })
    }),
  ])
  const ended = once(child, 'exit')
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<unknown> => JSON.parse(String((await answers.next()).value))
  await next()
  return {
    ask(line) {
      child.stdin.write(`${line}\n`)
      return next()
    },
    jump: (offset) => writeFile(clock, `${offset}\n`),
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

const jumps = ['-1d', '+400d', '+0d'] as const

/** A holder whose task others sweep for while clocks jump; and records saved while they do. */
const live = async (built: string) => {
  const root = await freshRoot()
  const [holder, sweeper] = [await startTeller(built, root, 'holder'), await startTeller(built, root, 'sweeper')]
  const real = Date.now()
  await holder.ask('enqueue held.md')
  const [held] = (await holder.ask('claim')) as ClaimedTask[]
  const claim = JSON.stringify(held?.claim)
  let stolen = 0
  let days = 0
  const saved: string[] = []
  for (const who of ['sweeper', 'holder'] as const)
    for (const offset of jumps) {
      const jumping = who === 'sweeper' ? sweeper : holder
      await sweeper.ask('sweep')
      await jumping.jump(offset)
      const now = Date.parse(String(await jumping.ask('now')))
      days = Math.max(days, Math.round(Math.abs(now - real) / 86_400_000))
      const swept = (await sweeper.ask('sweep')) as { freed: string[] }
      const { lost } = (await holder.ask(`heartbeat ${claim}`)) as { lost: unknown[] }
      stolen += swept.freed.length + lost.length
      const name = `${who}${offset}`
      await jumping.ask(`save ${name}`)
      saved.unshift(name)
    }
  const done = (await holder.ask(`complete ${claim}`)) as { status: string }
  const history = (await sweeper.ask('history')) as string[]
  const latest = (await holder.ask('latest')) as string[]
  const order = history.filter((name, n) => name !== saved[n]).length + (latest[0] === saved[0] ? 0 : 1)
  await holder.end()
  await sweeper.end()
  await rm(root, { recursive: true, force: true })
  return { jumps: saved.length, days, stolen, order, lost: done.status === 'done' ? 0 : 1 }
}

test('clock jumps: [C-INBOX-11, C-COMPLETION-6] no live lease is stolen, order is by sequence', async () => {
  const figures = await live(programs)
  report('clock jumps', figures)
  expect(figures).toEqual({ jumps: 6, days: 400, stolen: 0, order: 0, lost: 0 })
})

test('clock jumps: a build that measures leases with the wall clock is caught', async () => {
  const built = await buildPrograms('wall-clock')
  const figures = await live(built)
  await rm(built, { recursive: true, force: true })
  report('clock jumps, planted', figures)
  expect(figures.stolen).toBeGreaterThan(0)
})
