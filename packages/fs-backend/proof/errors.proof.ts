import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bug, buildPrograms } from './building.ts'
import { type Point, pointsOf } from './points.ts'
import type { Case } from './programs/verifier.ts'
import { type Call, trace } from './strace.ts'
import { freshFolder, inPairs, isLong, longest, report, sample, startWriter, type Verified, verify } from './writing.ts'

let programs = ''
let folder = ''
let all: Point[] = []
beforeAll(async () => {
  programs = await buildPrograms()
  folder = await freshFolder()
  all = await pointsOf(programs, folder, rounds)
})
afterAll(async () => {
  await rm(programs, { recursive: true, force: true })
  await rm(folder, { recursive: true, force: true })
})

const rounds = 2

interface Fault {
  name: string
  error: 'EIO' | 'ENOSPC' | 'EROFS' | 'EMFILE'
  point: Point
  /** Every call from the point on, not that one alone. */
  isLasting: boolean
  /** Reading must go on meanwhile. */
  isReadable: boolean
}

interface Outcome {
  verified: Case
  isFired: boolean
  /** What broke a promise, in words. */
  faults: string[]
}

/** A list does not fail because a drop could not be imported: the drop stays for the next look, and that is said. */
const notImported = 'WARN Completion summaries cannot be imported for now'

const faultsIn = (log: readonly string[], { error, point, isReadable }: Fault): string[] => {
  const untyped = log.filter((line) => line.includes('untyped'))
  const unread = isReadable ? log.filter((line) => line.startsWith('READ ') && line !== 'READ ok') : []
  const isTold = log.some((line) => line.startsWith('ERR') || line === notImported)
  const isDeaf = error === 'EIO' && point.call === 'fsync' && !isTold
  return [...untyped, ...unread, ...(isDeaf ? ['acknowledged although a fsync failed'] : [])]
}

/** Two rounds with the fault, and a third in the same process when it is gone. */
const faulted = async (built: string, fault: Fault): Promise<Outcome> => {
  const { error, point, isLasting, name } = fault
  const root = join(folder, name)
  const writer = await startWriter(built, root)
  const when = `when=${point.n}${isLasting ? '+' : ''}`
  const tracer = await trace(writer.pid, { call: point.call, fault: `error=${error}:${when}` })
  await writer.go(1, rounds)
  const isFired = (await tracer.fired()) > 0
  const again = (await tracer.syncedAgain()).map((path) => `${path} was synced again`)
  const faults = isFired ? [...faultsIn(writer.log, fault), ...again] : []
  const before = writer.log.length
  const isAlive = await writer.go(rounds + 1, rounds + 1)
  await writer.kill()
  const refused = writer.log.slice(before).filter((line) => line.startsWith('ERR'))
  if (!isAlive) refused.push('the process ended')
  return { verified: { name, root, log: writer.log }, isFired, faults: [...faults, ...refused] }
}

type Swept = Omit<Verified, 'faults'> & { points: number; errors: number; broken: number }

const sweep = async (built: string, faults: readonly Fault[]): Promise<{ figures: Swept; words: string }> => {
  const outcomes = (await inPairs(faults, (fault) => faulted(built, fault))).filter(({ isFired }) => isFired)
  const { faults: words, ...verified } = await verify(
    programs,
    outcomes.map((outcome) => outcome.verified),
  )
  const broken = outcomes.flatMap((outcome) => outcome.faults.map((line) => `${outcome.verified.name}: ${line}`))
  const errors = outcomes.flatMap(({ verified: { log } }) => log.filter((line) => line.startsWith('ERR'))).length
  return {
    figures: { points: outcomes.length, errors, broken: broken.length, ...verified },
    words: [...broken, words].join('\n').trim(),
  }
}

const clean = { broken: 0, lost: 0, dup: 0, torn: 0, order: 0, stray: 0 }

const once = (point: Point): Fault => ({
  name: `EIO-${point.call}-${point.n}`,
  error: 'EIO',
  point,
  isLasting: false,
  isReadable: false,
})

test('EIO sweep: [C-ALL-1, C-ALL-2] no acknowledgement after a failed fsync, the old value whole, a typed error', {
  timeout: longest,
}, async () => {
  const { figures, words } = await sweep(programs, sample(all, isLong ? 600 : 18).map(once))
  report('EIO sweep', { of: all.length, ...figures })
  expect(words).toBe('')
  expect(figures).toMatchObject(clean)
})

const caught: Partial<Record<Bug, string>> = {
  'deaf-fsync': 'acknowledged although a fsync failed',
  'fsync-again': 'was synced again',
}

for (const [bug, fault] of Object.entries(caught))
  test(`EIO sweep: a build with the bug ${bug} is caught`, async () => {
    const built = await buildPrograms(bug as Bug)
    // One after the other, so that files are among them as well as folders.
    const syncs = all.filter(({ call }) => call === 'fsync').slice(40, 44)
    const { figures, words } = await sweep(
      built,
      syncs.map((point) => ({ ...once(point), name: `${bug}-${point.n}` })),
    )
    await rm(built, { recursive: true, force: true })
    report('EIO sweep, planted', { ...figures })
    expect(words).toContain(fault)
  })

/** What the system refuses for as long as the fault lasts. */
const lasting: Record<'ENOSPC' | 'EROFS' | 'EMFILE', readonly Call[]> = {
  ENOSPC: ['write', 'mkdir', 'link', 'rename', 'fsync'],
  EROFS: ['mkdir', 'link', 'rename', 'unlink'],
  EMFILE: ['openat'],
}

test('ENOSPC, EROFS, EMFILE sweep: [C-ALL-2] refused in words, read throughout, written again without a restart', {
  timeout: longest,
}, async () => {
  const faults = Object.entries(lasting).flatMap(([error, calls]) => {
    const points = calls.flatMap((call) => {
      const ofCall = all.filter((point) => point.call === call)
      return isLong ? sample(ofCall, 60) : sample(ofCall, 1)
    })
    return points.map(
      (point): Fault => ({
        name: `${error}-${point.call}-${point.n}`,
        error: error as keyof typeof lasting,
        point,
        isLasting: true,
        isReadable: error !== 'EMFILE',
      }),
    )
  })
  const { figures, words } = await sweep(programs, faults)
  report('ENOSPC, EROFS, EMFILE sweep', { ...figures })
  expect(words).toBe('')
  expect(figures).toMatchObject(clean)
})
