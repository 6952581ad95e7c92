import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogFields, Logger, Mailbox } from '@nexus/core'
import { openMailbox } from '@nexus/fs-backend'
import { createFakes, createMemoryData, openMemoryBackend } from '@nexus/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createIntake, type Intake } from '../src/intake/intake.ts'
import { whyNoReport } from '../src/intake/summary-file.ts'

type Context = ReturnType<typeof createFakes>

describe('what agents report', () => {
  let root: string
  let fakes: Context
  let intake: Intake
  let mailbox: Mailbox
  let stores: ReturnType<typeof openMemoryBackend>
  let log: { message: string; fields: LogFields }[]

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'nexus-intake-'))
    log = []
    const say = (message: string, fields: LogFields = {}) => void log.push({ message, fields })
    const logger: Logger = { debug() {}, info: say, warn: say, error: say }
    fakes = createFakes()
    const context = { ...fakes.context, logger }
    stores = openMemoryBackend(context, createMemoryData())
    mailbox = await openMailbox({ root, ...context })
    intake = createIntake({
      stores,
      mailboxes: [mailbox],
      runMailboxes: () => [],
      holds: new Map(),
      logger,
      telemetry: { reported() {} },
      pollMs: 10,
      idlePollMs: 10,
      availability: { attempt: (_, call) => call() },
      isQuiet: () => false,
      projectOfRun: async () => null,
    })
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const drop = (bytes: string | Buffer, issue = '5') => writeFile(mailbox.file('shop', issue), bytes)

  /** Collects, and again when a file that cannot be read has stood still. */
  const collect = async () => {
    await intake.collect()
    fakes.clock.advance(60_000)
    await intake.collect()
  }

  const stored = async () => (await stores.completions.history('5')).items
  const text = (members: object = {}) =>
    JSON.stringify({ issue_number: '5', agent_type: 'triage', summary: 'seen', project: 'shop', ...members })

  const good: [string, string, object][] = [
    ['as it is', text(), {}],
    ['with a BOM', `\uFEFF${text()}`, {}],
    ['with U+0000 in its words', text({ summary: 'a\0b' }), { summary: 'a\uFFFDb', payload: { summary: 'a\0b' } }],
    ['with a lone surrogate', text({ note: '\ud800' }), { payload: { note: '\ud800' } }],
    ['with 5 MB of text', text({ comment_markdown: 'ü'.repeat(2_500_000) }), {}],
    ['with members nobody knows', text({ odd: { deep: [1, null] } }), { payload: { odd: { deep: [1, null] } } }],
  ]

  test.each(good)('a file %s is taken', async (_, content, expected) => {
    await drop(content)
    await collect()
    expect(await stored()).toMatchObject([{ agentType: 'triage', ...expected }])
  })

  test('a file whose bytes are no UTF-8 is taken, with a mark for each', async () => {
    await drop(Buffer.from(text({ summary: 'für' }), 'latin1'))
    await collect()
    expect(await stored()).toMatchObject([{ summary: 'f\uFFFDr' }])
  })

  test.each(good)('a POST %s is taken', async (_, content, expected) => {
    expect(await intake.post(content, null)).toMatchObject({ status: 'stored' })
    expect(await stored()).toMatchObject([{ agentType: 'triage', ...expected }])
  })

  const bad: [string, string, RegExp][] = [
    ['half of one', text().slice(0, 30), /is not JSON/],
    ['with a bare NUL', text().replace('seen', '\0'), /is not JSON/],
    ['that is a list', '[]', /is not a JSON object/],
    ['of nothing', '', /is not JSON/],
    ['without a role', text({ agent_type: '' }), /has no agent_type/],
    ['in an odd state', text({ status: 'perhaps' }), /status "perhaps" is not complete/],
    ['nested without end', `{"a":${'['.repeat(100_000)}`, /is not JSON/],
  ]

  test.each(bad)('a file %s is refused in words, stays, and holds no other up', async (_, content, reason) => {
    await drop(content)
    await drop(text({ issue_number: undefined }), '6')
    await collect()
    expect(intake.whyUnreadable(mailbox.file('shop', '5'))).toMatch(reason)
    expect(await whyNoReport(mailbox.file('shop', '5'), '5')).toMatch(reason)
    expect(await whyNoReport(mailbox.file('shop', '6'), '6')).toBeNull()
    expect(await whyNoReport(mailbox.file('shop', '7'), '7')).toBeNull()
    expect(log.filter(({ fields }) => reason.test(String(fields['reason'])))).toHaveLength(1)
    expect((await stores.completions.scan()).items).toMatchObject([{ issueNumber: '6' }])
  })

  test.each(bad)('a POST %s is refused in words', async (_, content, reason) => {
    const answer = await intake.post(content, null)
    expect(answer).toMatchObject({ status: 'invalid', reason: expect.stringMatching(reason) })
    expect(await stored()).toEqual([])
  })

  test('a file that is written over in place counts each time it says something else', async () => {
    await drop(text({ summary: 'first' }))
    await collect()
    await drop(text({ summary: 'second' }))
    await collect()
    expect(await stored()).toMatchObject([{ summary: 'second' }])
  })

  test('the same report again, by file or POST, changes nothing and is told of', async () => {
    const content = text({ attempt_id: 'at-00000001' })
    await drop(content)
    await collect()
    const [first] = await stored()
    await intake.post(content, null)
    await drop(content)
    await collect()
    expect(await stored()).toEqual([first])
    expect(log.filter(({ message }) => /came again, word for word/.test(message))).toHaveLength(2)
  })

  test('a report on an issue that nobody works on is kept, and told of once', async () => {
    await drop(text())
    await collect()
    await collect()
    expect(await stored()).toHaveLength(1)
    expect(log.filter(({ message }) => /works on no task of its issue/.test(message))).toEqual([
      {
        message: expect.any(String),
        fields: { path: mailbox.file('shop', '5'), issue: '5', agent: 'triage', status: 'complete' },
      },
    ])
  })
})
