import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { quantile } from './figures.ts'
import { backends, type Hosting, startHosting } from './hosting.ts'
import { publish } from './results.ts'

const agent = fileURLToPath(new URL('agents/stamp.sh', import.meta.url))
const steps = 25
const rounds = 6
const command = (folder: string): readonly string[] => ['/bin/bash', agent, join(folder, 'stamps.log')]

/** The clock that agents note, in milliseconds with their fractions, set anew each time since it may be corrected. */
const createNow = (): (() => number) => {
  const tick = Date.now()
  while (Date.now() === tick);
  const offset = Date.now() - performance.now()
  return () => offset + performance.now()
}

interface Stamp {
  startedMs: number
  writtenMs: number
}

const readStamps = async (folder: string, name: string): Promise<Stamp[]> =>
  (await readFile(join(folder, name), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, started = '', written = ''] = line.split(' ')
      return { startedMs: Number(started) * 1000, writtenMs: Number(written) * 1000 }
    })

/** From each report's appearance to the next agent's first instruction. */
const chain = async ({ folder, stores }: Hosting, round: number): Promise<number[]> => {
  const before = (await readStamps(folder, 'stamps.log')).length
  await stores.inbox.enqueue([{ project: 'shop', filename: `round-${round}.md`, markdown: `**Issue:** ${round}` }])
  for (;;) {
    const { done } = await stores.inbox.counts()
    if (done === round) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const stamps = (await readStamps(folder, 'stamps.log')).slice(before)
  return stamps.slice(1).map(({ startedMs }, index) => startedMs - (stamps[index]?.writtenMs ?? Number.NaN))
}

/** What nobody can be faster than: hearing of a file, and starting that agent from a process that does nothing else. */
const raw = async (folder: string, times: number): Promise<number[]> => {
  const found: number[] = []
  for (let n = 0; n < times; n += 1) {
    const now = createNow()
    const heard = new Promise<number>((resolve) => {
      const watcher = watch(folder, (_, name) => {
        if (name !== `raw-${n}.json`) return
        watcher.close()
        resolve(now())
      })
    })
    const begun = now()
    await writeFile(join(folder, `raw-${n}.json`), '{}')
    const hearingMs = (await heard) - begun
    const spawned = now()
    const child = spawn('/bin/bash', [agent, join(folder, `raw-${n}.log`)], {
      env: { NEXUS_COMPLETION_FILE: join(folder, `raw-${n}.report`) },
      stdio: 'ignore',
      detached: true,
    })
    await once(child, 'exit')
    const stamp = (await readStamps(folder, `raw-${n}.log`)).at(-1)
    found.push(hearingMs + (stamp?.startedMs ?? Number.NaN) - spawned)
  }
  return found
}

for (const backend of backends)
  test(`overhead from a completion file to the next agent: ${backend}`, async () => {
    await using hosting = await startHosting(backend, { steps, command })
    const [overheads, limits]: [number[][], number[][]] = [[], []]
    for (let round = 1; round <= rounds; round += 1) {
      const found = await chain(hosting, round)
      // The first warms up.
      if (round === 1) continue
      overheads.push(found)
      limits.push(await raw(hosting.folder, steps))
    }
    const shares = [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const
    for (const [name, share] of shares)
      publish({
        row: `from a report to the next agent, ${name}, ${backend}`,
        unit: 'ms',
        rounds: {
          ours: overheads.map((round) => quantile(round, share)),
          raw: limits.map((round) => quantile(round, share)),
        },
        mark: { atMost: name === 'p50' ? 25 : 100 },
      })
  })
