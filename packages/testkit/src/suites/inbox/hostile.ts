import { maxTextBytes } from '@nexus/core'
import { expect } from 'vitest'
import type { Harness } from '../../harness.ts'
import type { Clause } from '../clause.ts'
import { claimUpTo, enqueueAndClaim, task } from './tasks.ts'

const badNames = [
  '',
  '.',
  '..',
  '../up',
  'a/b',
  'a\\b',
  '.hidden',
  'a..b',
  'nul\0',
  'line\nbreak',
  'del\u007f',
  '\ud800',
]
const badProjects = [...badNames, 'a:b', 'p'.repeat(65), 'é'.repeat(33)]
const badFilenames = [...badNames, 'f'.repeat(201), 'é'.repeat(101)]

const oddFilenames = [
  'no extension',
  ' spaces around ',
  'a:b.md',
  '__proto__',
  'constructor',
  'CON',
  '-rf',
  '%2e%2e%2fetc.md',
  '*?[x].md',
  `'";$(true) --.md`,
  '\u202egnp.md',
  '👩‍👩‍👧.md',
  'é.md'.normalize('NFC'),
  'é.md'.normalize('NFD'),
  'Case.md',
  'case.md',
  `${'f'.repeat(197)}.md`,
  'task_1.md',
]

const oddProjects = [
  '__proto__',
  'toString',
  'CON',
  'A',
  'a',
  'é'.normalize('NFC'),
  'é'.normalize('NFD'),
  'p'.repeat(64),
]

const texts = {
  empty: '',
  'a BOM': '\uFEFF# Title',
  'line ends': 'a\r\nb\rc\n\n\n',
  'front matter': '---\nid: 7\nproject: gemini\n---\n# Title\n',
  'control characters': 'bell\u0007 escape\u001b[31m backspace\b',
  'other planes': '𝒳 👩‍👩‍👧 \u{10FFFF} \u2028 \uFFFD \uFFFF',
  'trailing blanks': '  text  \t ',
  long: 'a line of text\n'.repeat(70_000),
} as const

const refusesAll = async (t: Harness, wrong: Parameters<typeof task>[0][]): Promise<void> => {
  for (const fields of wrong)
    await expect(
      t.backend.inbox.enqueue([task({ filename: 'good.md' }), task(fields)]),
      JSON.stringify(fields).slice(0, 100),
    ).rejects.toMatchObject({ code: 'invalid', outcome: 'not-applied' })
  expect((await t.backend.inbox.list()).items).toEqual([])
}

export const inboxHostileInput = (clause: Clause): void => {
  clause('C-ALL-5', 'a task under a name that we would not create is invalid, and nothing is written', async (t) => {
    await refusesAll(t, [
      ...badProjects.map((project) => ({ project })),
      ...badFilenames.map((filename) => ({ filename })),
      ...['../1', 'a:b', 'x'.repeat(33)].map((issueNumber) => ({ issueNumber })),
    ])
  })

  clause('C-ALL-5', 'odd filenames are kept, told apart and found again byte for byte', async (t) => {
    const results = await t.backend.inbox.enqueue(oddFilenames.map((filename) => task({ filename })))
    expect(results.map(({ status }) => status)).toEqual(oddFilenames.map(() => 'enqueued'))
    await t.reopen()
    const claimed = await claimUpTo(t.backend, 100)
    expect(claimed.map(({ filename }) => filename)).toEqual(oddFilenames)
    for (const { claim } of claimed) expect(await t.backend.inbox.complete(claim)).toEqual({ status: 'done' })
  })

  clause('C-ALL-5', 'odd project keys are kept, told apart and found again byte for byte', async (t) => {
    const results = await t.backend.inbox.enqueue(oddProjects.map((project) => task({ project })))
    expect(results.map(({ status }) => status)).toEqual(oddProjects.map(() => 'enqueued'))
    await t.reopen()
    for (const project of oddProjects) {
      expect((await t.backend.inbox.list({ project })).items, project).toMatchObject([{ project }])
      expect(await claimUpTo(t.backend, 9, { projects: [project] }), project).toMatchObject([{ project }])
    }
  })

  clause('C-ALL-6', 'text that cannot be kept byte for byte is invalid, and nothing is written', async (t) => {
    const wrong = ['a\0b', 'lone \ud800', '\udfff lone', '\0']
    await refusesAll(t, [
      ...wrong.map((markdown) => ({ markdown })),
      ...wrong.map((workspace) => ({ workspace })),
      ...wrong.map((idempotencyKey) => ({ idempotencyKey })),
      { markdown: 'x'.repeat(maxTextBytes + 1) },
      { idempotencyKey: '' },
      { idempotencyKey: 'k'.repeat(513) },
    ])
  })

  for (const [name, markdown] of Object.entries(texts))
    clause('C-ALL-6', `markdown round-trips byte for byte: ${name}`, async (t) => {
      const { id, claim } = await enqueueAndClaim(t.backend, { markdown })
      expect((await t.backend.inbox.load(id))?.markdown === markdown).toBe(true)
      await t.backend.inbox.complete(claim)
      await t.reopen()
      expect((await t.backend.inbox.load(id))?.markdown === markdown).toBe(true)
    })

  clause('C-ALL-6', 'odd workspaces and keys are kept and told apart', async (t) => {
    const workspaces = [
      '',
      '/',
      'C:\\src',
      '../up',
      'a\nb',
      'x'.repeat(300),
      'é'.normalize('NFC'),
      'é'.normalize('NFD'),
    ]
    const keys = [
      'a/b',
      '../k',
      ' k',
      'K',
      'k',
      'line\nbreak',
      'é'.normalize('NFC'),
      'é'.normalize('NFD'),
      'k'.repeat(512),
    ]
    const batch = [
      ...workspaces.map((workspace) => task({ workspace })),
      ...keys.map((idempotencyKey, n) => task({ filename: `${n}.md`, idempotencyKey })),
    ]
    const results = await t.backend.inbox.enqueue(batch)
    expect(results.map(({ status }) => status)).toEqual(batch.map(() => 'enqueued'))
    await t.reopen()
    for (const [n, { id }] of results.entries()) expect(await t.backend.inbox.load(id)).toMatchObject(batch[n] ?? {})
    expect((await t.backend.inbox.enqueue(batch)).map(({ status }) => status)).toEqual(batch.map(() => 'duplicate'))
  })

  clause('C-ALL-5', 'an id that nobody gave out is nobody’s, whatever it is made of', async (t) => {
    const { inbox } = t.backend
    const { id, claim } = await enqueueAndClaim(t.backend)
    await inbox.complete(claim)
    for (const wrong of [
      '',
      '0',
      '../up',
      'a/b',
      'nul\0',
      '\uD800',
      'x'.repeat(300),
      ` ${id}`,
      `${id}.1`,
      `${'0'.repeat(40)}1`,
    ]) {
      expect([wrong, await inbox.load(wrong)]).toEqual([wrong, null])
      expect([wrong, await inbox.requeue(wrong)]).toEqual([wrong, { status: 'absent' }])
      expect([wrong, await inbox.cancel(wrong)]).toEqual([wrong, { status: 'absent' }])
      const given = { ...claim, id: wrong }
      expect(await inbox.heartbeat([given])).toEqual({ lost: [given], cancelRequested: [] })
      const ended = [inbox.complete(given), inbox.release(given), inbox.fail(given, 'no')]
      for (const answer of [...ended, inbox.bind(given, { issueNumber: '7' })])
        expect([wrong, await answer]).toEqual([wrong, { status: 'lease-lost' }])
    }
    expect(await inbox.load(id)).toMatchObject({ status: 'done' })
  })

  clause('C-ALL-6', 'an error that cannot be kept is invalid and the claim stands', async (t) => {
    const { id, claim } = await enqueueAndClaim(t.backend)
    await expect(t.backend.inbox.fail(claim, 'a\0b')).rejects.toMatchObject({ code: 'invalid' })
    expect(await t.backend.inbox.load(id)).toMatchObject({ status: 'processing', attempts: 0 })

    await t.backend.inbox.fail(claim, 'línea\n'.repeat(2000), { fatal: true })
    expect((await t.backend.inbox.load(id))?.error === 'línea\n'.repeat(2000)).toBe(true)
  })
}
