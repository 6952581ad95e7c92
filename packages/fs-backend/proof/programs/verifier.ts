import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { judge, type Verdict } from './judge.ts'
import { type Observation, observe } from './observe.ts'
import { operationsOf, prepareDrops } from './operations.ts'

/** What a writer worked on, and what it said. */
export interface Case {
  name: string
  root: string
  log: string[]
}

type CaseVerdict = Verdict & { name: string; stray: number }

/** Beyond the writers' rounds. */
const lastRound = 901

const namesIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : []

const verify = async ({ name, root, log }: Case): Promise<CaseVerdict> => {
  const context = {
    clock: systemClock,
    ids: createIds(systemClock),
    logger: silentLogger,
    liveness: () => 'unknown' as const,
  }
  const backend = await openFsBackend({ root, ...context })
  const strays = namesIn(join(root, '.tmp'))
  const observation: Observation = await observe(backend, root)
  const verdict = judge(root, log, observation)
  const again: string[] = []
  await prepareDrops(root)
  for (const { id, run } of operationsOf(root, lastRound)) {
    again.push(`TRY ${id}`)
    try {
      await run(backend)
      again.push(`ACK ${id}`)
    } catch (error) {
      verdict.torn += 1
      verdict.faults.push(`${id} is refused: ${error instanceof Error ? error.message : error}`)
    }
  }
  const after = judge(root, [...log, ...again], await observe(backend, root))
  const asides = namesIn(join(root, '.rev')).filter((path) => /\.(gone|aside)$/.test(path))
  const left = [...strays, ...namesIn(join(root, '.tmp')), ...asides]
  return {
    ...verdict,
    name,
    lost: Math.max(verdict.lost, after.lost),
    dup: Math.max(verdict.dup, after.dup),
    torn: Math.max(verdict.torn, after.torn),
    order: Math.max(verdict.order, after.order),
    stray: left.length,
    faults: [...new Set([...verdict.faults, ...after.faults, ...left.map((path) => `stray: ${path}`)])],
  }
}

const cases = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Case[]
const total = { acked: 0, lost: 0, dup: 0, torn: 0, order: 0, stray: 0 }
for (const one of cases) {
  const verdict = await verify(one)
  for (const key of ['acked', 'lost', 'dup', 'torn', 'order', 'stray'] as const) total[key] += verdict[key]
  if (verdict.faults.length > 0) process.stderr.write(`${one.name}: ${verdict.faults.join('; ')}\n`)
}
process.stdout.write(
  `${Object.entries(total)
    .map(([key, n]) => `${key}=${n}`)
    .join(' ')}\n`,
)
