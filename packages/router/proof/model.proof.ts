import { type Pairing, regressions, replay, runModel } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { openFsHarness } from '../../fs-backend/test/harness.ts'
import { usePostgres } from '../../pg-backend/test/harness.ts'
import { useRouted } from '../test/harness.ts'

/** The short form of a minute; the long form asks for 100000. */
const operations = Number(process.env['NEXUS_MODEL_OPS'] ?? 4000)
const longForm = 100_000
/** The short form asks the same questions each time; the long form asks new ones. */
const seed = Number(
  process.env['NEXUS_MODEL_SEED'] ?? (operations < longForm ? 1 : Math.floor(Math.random() * 2 ** 31)),
)

const pair = ({ name, ...pairing }: Pairing & { name: string }): void => {
  for (const { name: difference, steps, ofRows } of regressions)
    if (!ofRows || pairing.hasStatus)
      test(`no longer on ${name}: ${difference}`, async () => expect(await replay(pairing, steps)).toBeNull())

  test(`memory and ${name} answer alike to any sequence of operations`, { timeout: 6 * 3_600_000 }, async () => {
    const { operations: ran, difference, coverage, expected } = await runModel({ ...pairing, seed, operations })
    const { name: rarest, times } = coverage.least(expected)
    const differences = difference === null ? 0 : 1
    const figures = `model ${name}: ops=${ran} differences=${differences} seed=${seed} rarest=${times} (${rarest})`
    process.stdout.write(`${[figures, ...coverage.lines()].join('\n')}\n`)
    expect(difference, figures).toBeNull()
    expect(coverage.unexpected(expected)).toEqual([])
    if (operations >= longForm) expect(times, `how often ${rarest}`).toBeGreaterThanOrEqual(50)
  })
}

describe('files', () => pair({ name: 'files', open: openFsHarness, hasMailbox: true, hasStatus: false }))

describe('postgres', () =>
  pair({ name: 'postgres', open: usePostgres({ reuse: true }), hasMailbox: false, hasStatus: true }))

describe('routed', () =>
  pair({
    name: 'inbox and completions on postgres, the rest on files',
    open: useRouted({ NEXUS_INBOX_BACKEND: 'postgres', NEXUS_COMPLETION_BACKEND: 'postgresql' }),
    hasMailbox: false,
    hasStatus: true,
  }))
