import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { aCompletion, aForeignCompletion, present } from '../samples.ts'

export const foreignCompletions = (clause: Clause): void => {
  clause(
    'C-ALL-11',
    'another program’s record is read as it is; its project is known where a mailbox says it',
    async (t) => {
      const foreign = aForeignCompletion({ project: 'alpha', issueNumber: '9' })
      await t.foreign.insertCompletion(foreign)
      const { items, corrupt } = await t.backend.completions.scan()
      expect(corrupt).toEqual([])
      expect(items).toMatchObject([
        {
          project: t.backend.capabilities.mailbox ? 'alpha' : null,
          issueNumber: '9',
          agentType: 'developer',
          status: 'complete',
          summary: 'Done by hand',
          dedupKey: '9:developer:complete',
        },
      ])
      expect(present(items[0]).payload).toEqual(foreign.report)
      expect((await t.backend.completions.history('9')).items).toEqual(items)
    },
  )

  clause('C-COMPLETION-2', 'a report of the same identity after another program’s is not refused', async (t) => {
    await t.foreign.insertCompletion(aForeignCompletion())
    await t.backend.completions.scan()
    const saved = await t.backend.completions.save(aCompletion())
    expect(saved).toEqual(
      t.backend.capabilities.mailbox
        ? { status: 'updated', dedupKey: '7:developer:complete' }
        : { status: 'created', dedupKey: 'alpha/7:developer:complete' },
    )
    expect((await t.backend.completions.scan({ project: 'alpha' })).items).toMatchObject([{ summary: 'Login fixed' }])
  })

  clause('C-ALL-9', 'an unreadable record is beside the readable ones and stops none', async (t) => {
    const { completions } = t.backend
    await completions.save(aCompletion())
    await t.foreign.insertCompletion({ ...aForeignCompletion({ issueNumber: '9' }), data: '{"agent_type": "dev' })
    const { items, corrupt } = await completions.scan()
    expect(items).toMatchObject([{ issueNumber: '7' }])
    const entry = {
      name: '9:developer:complete',
      place: expect.stringMatching(/./),
      reason: expect.stringMatching(/./),
      rev: expect.stringMatching(/./),
    }
    // In a mailbox it is a file that may still be being written.
    if (!t.backend.capabilities.mailbox) expect(corrupt).toEqual([entry])
    expect(await completions.save(aCompletion({ issueNumber: '9' }))).toMatchObject({ status: 'created' })
    expect((await completions.scan({ project: 'alpha', issueNumber: '9' })).items).toHaveLength(1)
  })
}
