import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aCompletion, present, refused } from '../samples.ts'

export const completionSave = (clause: Clause): void => {
  clause('C-COMPLETION-1', 'created, unchanged and updated are told apart, with the dedup key', async ({ backend }) => {
    const { completions } = backend
    const dedupKey = '7:developer:complete'
    expect(await completions.save(aCompletion())).toEqual({ status: 'created', dedupKey })
    expect(await completions.save(aCompletion())).toEqual({ status: 'unchanged', dedupKey })
    expect(await completions.save(aCompletion({ summary: 'Again' }))).toEqual({ status: 'updated', dedupKey })
  })

  clause('C-COMPLETION-4', 'the same members in another order are another payload', async ({ backend }) => {
    const { completions } = backend
    await completions.save(aCompletion({ payload: { a: 1, b: { c: 2, d: 3 } } }))
    const again = [
      { b: { c: 2, d: 3 }, a: 1 },
      { b: { d: 3, c: 2 }, a: 1 },
    ]
    for (const payload of again) {
      expect(await completions.save(aCompletion({ payload }))).toMatchObject({ status: 'updated' })
      expect(await completions.save(aCompletion({ payload }))).toMatchObject({ status: 'unchanged' })
    }
  })

  clause('C-COMPLETION-1', 'another project, issue, agent or status is another record', async ({ backend }) => {
    const { completions } = backend
    await completions.save(aCompletion())
    for (const other of [
      aCompletion({ issueNumber: '8' }),
      aCompletion({ agentType: 'reviewer' }),
      aCompletion({ status: 'blocked' }),
      aCompletion({ project: 'beta' }),
    ])
      expect(await completions.save(other)).toMatchObject({ status: 'created' })
    expect((await completions.history('7')).items).toHaveLength(4)
    expect((await completions.history('7', { project: 'alpha' })).items).toHaveLength(3)
  })

  clause('C-COMPLETION-1', 'every field comes back', async ({ backend }) => {
    await backend.completions.save(aCompletion())
    const { items, corrupt } = await backend.completions.scan()
    expect(corrupt).toEqual([])
    expect(items).toEqual([
      {
        ...aCompletion(),
        dedupKey: '7:developer:complete',
        createdAt: expect.any(Date),
        savedAt: expect.any(Date),
        rev: expect.any(String),
      },
    ])
  })

  clause('C-COMPLETION-1', 'a status that agents do not have is invalid', async ({ backend }) => {
    const status = 'done' as 'complete'
    await refused(backend.completions.save(aCompletion({ status })), 'invalid')
    expect((await backend.completions.scan()).items).toEqual([])
  })
}

export const completionNews = (clause: Clause): void => {
  clause('C-COMPLETION-3', 'what is unchanged is not written, and keeps its place in the order', async (t) => {
    const { completions } = t.backend
    await completions.save(aCompletion())
    await t.advance(1000)
    await completions.save(aCompletion({ issueNumber: '8' }))
    await t.advance(1000)
    const before = (await completions.scan()).items
    expect(await (await t.peer()).completions.save(aCompletion())).toMatchObject({ status: 'unchanged' })
    expect((await completions.scan()).items).toEqual(before)
    expect(before.map(({ issueNumber }) => issueNumber)).toEqual(['8', '7'])
  })

  for (const [what, change] of [
    ['payload', { payload: { summary: 'Login fixed', next_agent: 'none' } }],
    ['summary', { summary: 'Login fixed again' }],
    ['report id', { reportId: 'attempt-2' }],
    ['lost report id', { reportId: null }],
  ] as const)
    clause('C-COMPLETION-4', `another ${what} is news: updated, and newest again`, async ({ backend }) => {
      const { completions } = backend
      await completions.save(aCompletion())
      const [first] = (await completions.scan()).items
      await completions.save(aCompletion({ issueNumber: '8' }))
      expect(await completions.save(aCompletion(change))).toMatchObject({ status: 'updated' })
      const [latest, older, ...rest] = (await completions.scan()).items
      expect(latest).toMatchObject({ ...aCompletion(change), dedupKey: '7:developer:complete' })
      expect(older).toMatchObject({ issueNumber: '8' })
      expect(rest).toEqual([])
      expect(present(latest).rev).not.toBe(present(first).rev)
    })
}

export const completionPayload = (clause: Clause): void => {
  clause('C-COMPLETION-5', 'the payload is kept verbatim, and the report id beside it', async ({ backend }) => {
    const payload = {
      z: 1,
      a: { alignment_score: 0.5, list: [null, { deep: 'ü' }] },
      report_id: 'theirs',
      attempt_id: 'theirs too',
      comment_markdown: '# Done\r\n\u0000\uD800',
      empty: '',
    }
    await backend.completions.save(aCompletion({ payload, reportId: 'ours' }))
    const [completion] = (await backend.completions.history('7')).items
    expect(present(completion).payload).toEqual(payload)
    expect(present(completion).reportId).toBe('ours')
  })

  clause('C-COMPLETION-5', 'nothing of ours gets into an empty payload', async ({ backend }) => {
    await backend.completions.save(aCompletion({ payload: {}, summary: '', reportId: null }))
    const [completion] = (await backend.completions.history('7')).items
    expect(completion).toMatchObject({ payload: {}, summary: '', reportId: null })
    expect(Object.keys(present(completion).payload)).toEqual([])
  })
}

export const completionDelete = (clause: Clause): void => {
  clause(
    'C-COMPLETION-13',
    'delete removes the record of a key, and is refused with a stale rev',
    async ({ backend }) => {
      const { completions } = backend
      const key = '7:developer:complete'
      expect(await completions.delete(key)).toEqual({ status: 'absent' })
      await completions.save(aCompletion())
      const stale = present((await completions.scan()).items[0]).rev
      await completions.save(aCompletion({ summary: 'Again' }))
      await completions.save(aCompletion({ agentType: 'reviewer' }))
      const latest = (await completions.history('7')).items.find(({ dedupKey }) => dedupKey === key)
      const { rev } = present(latest)
      expect(await completions.delete(key, { ifRev: stale })).toEqual({ status: 'conflict', current: rev })
      expect((await completions.history('7')).items).toHaveLength(2)
      expect(await completions.delete(key, { ifRev: rev })).toEqual({ status: 'deleted' })
      expect((await completions.history('7')).items).toMatchObject([{ agentType: 'reviewer' }])
      expect(await completions.delete(key, { ifRev: rev })).toEqual({ status: 'absent' })
      expect(await completions.save(aCompletion())).toEqual({ status: 'created', dedupKey: key })
    },
  )
}
