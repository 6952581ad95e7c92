import type { CorruptEntry } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from './clause.ts'
import { aWorkflow, everyPage, present, refused, savedRev } from './samples.ts'

/** What is not a document to anybody: cut, empty, no JSON, beyond double range, too deep. */
const unreadable = [
  '{"state": "running", "steps": [',
  '',
  'not json',
  '{"a": 1e400}',
  "{'state': 'running'}",
  '{"a": 1,}',
  `{"a": ${'['.repeat(600)}${']'.repeat(600)}}`,
]

const id = 'alpha-7-full'
const anEntry = (name: string, rev: unknown = expect.stringMatching(/./)): CorruptEntry => ({
  name,
  place: expect.stringContaining(name) as string,
  reason: expect.stringMatching(/./) as string,
  rev: rev as string,
})

export const corruptWorkflows = (clause: Clause): void => {
  for (const [index, text] of [...unreadable, '[]', 'null', '"text"'].entries())
    clause('C-ALL-9', `a workflow document that cannot be read is corrupt, and stays (${index + 1})`, async (t) => {
      const { workflows } = t.backend
      await workflows.save(aWorkflow({ state: 'running' }))
      await t.foreign.writeWorkflowText(id, text)
      const error = await refused(workflows.load(id), 'corrupt')
      expect(error).toMatchObject({ rev: expect.stringMatching(/./), place: expect.stringContaining(id) })
      await refused(workflows.save(aWorkflow({ state: 'running' })), 'corrupt')
      for (const ifRev of [null, 'another'])
        expect(await workflows.save(aWorkflow({ state: 'running' }), { ifRev })).toEqual({
          status: 'conflict',
          current: error.rev,
        })
      expect(await t.foreign.workflowText(id)).toBe(text)
      savedRev(await workflows.save(aWorkflow({ state: 'running', name: 'mended' }), { ifRev: error.rev }))
      expect(await workflows.load(id)).toMatchObject({ name: 'mended', state: 'running' })
    })

  clause('C-ALL-9', 'it is beside the readable ones in the list, with the rev that load names', async (t) => {
    const { workflows } = t.backend
    for (const other of ['alpha-1-full', id, 'alpha-9-full']) {
      await workflows.save(aWorkflow({ id: other, state: 'running' }))
      await t.advance(1000)
    }
    await t.foreign.writeWorkflowText(id, '{"cut')
    const { rev } = await refused(workflows.load(id), 'corrupt')
    const page = await workflows.list()
    expect(page.items.map((workflow) => workflow.id).sort()).toEqual(['alpha-1-full', 'alpha-9-full'])
    expect(page.corrupt).toEqual([anEntry(id, rev)])
    const paged = await everyPage((request) => workflows.list(request), 1)
    expect(paged.items.map((workflow) => workflow.id).sort()).toEqual(['alpha-1-full', 'alpha-9-full'])
    expect(paged.corrupt).toEqual([anEntry(id, rev)])
  })
}

export const corruptRevs = (clause: Clause): void => {
  clause('C-ALL-9', 'another corruption is another rev', async (t) => {
    const { workflows } = t.backend
    await workflows.save(aWorkflow({ state: 'running' }))
    await t.foreign.writeWorkflowText(id, '{"cut')
    const first = await refused(workflows.load(id), 'corrupt')
    await t.foreign.writeWorkflowText(id, '{"cut elsewhere')
    const second = await refused(workflows.load(id), 'corrupt')
    expect(second.rev).not.toBe(first.rev)
    expect(await workflows.save(aWorkflow({ state: 'running' }), { ifRev: first.rev })).toEqual({
      status: 'conflict',
      current: second.rev,
    })
    expect(await workflows.delete(id, { ifRev: present(first.rev) })).toEqual({
      status: 'conflict',
      current: second.rev,
    })
    expect(await workflows.delete(id, { ifRev: present(second.rev) })).toEqual({ status: 'deleted' })
    expect(await workflows.load(id)).toBeNull()
  })

  clause('C-ALL-9', 'an operator may delete it without a rev', async (t) => {
    const { workflows, hostState } = t.backend
    await workflows.save(aWorkflow({ state: 'running' }))
    await t.foreign.writeWorkflowText(id, '{"cut')
    expect(await workflows.delete(id)).toEqual({ status: 'deleted' })
    await t.foreign.insertHostState('launched_agents', '{"cut')
    expect(await hostState.delete('launched_agents')).toEqual({ status: 'deleted' })
    expect([await workflows.load(id), await hostState.load('launched_agents')]).toEqual([null, null])
  })

  clause('C-ALL-9', 'mended by hand it is readable again', async (t) => {
    const { workflows } = t.backend
    await workflows.save(aWorkflow({ state: 'running' }))
    const good = await t.foreign.workflowText(id)
    const before = present(await workflows.load(id))
    await t.foreign.writeWorkflowText(id, good.slice(0, 20))
    await refused(workflows.load(id), 'corrupt')
    await t.foreign.writeWorkflowText(id, good)
    expect(await workflows.load(id)).toEqual({ ...before, updatedAt: expect.any(Date) })
  })
}

export const corruptHostState = (clause: Clause): void => {
  for (const [index, text] of unreadable.entries())
    clause('C-ALL-9', `a host state that cannot be read is corrupt, and stays (${index + 1})`, async (t) => {
      const { hostState } = t.backend
      await t.foreign.insertHostState('launched_agents', text)
      const { rev, place } = await refused(hostState.load('launched_agents'), 'corrupt')
      expect(rev).toMatch(/./)
      expect(place).toContain('launched_agents')
      await refused(hostState.save('launched_agents', {}), 'corrupt')
      await refused(hostState.patch('launched_agents', { entries: { a: 1 } }), 'corrupt')
      await refused(
        hostState.update('launched_agents', () => ({})),
        'corrupt',
      )
      for (const ifRev of [null, 'another'])
        expect(await hostState.save('launched_agents', {}, { ifRev })).toEqual({ status: 'conflict', current: rev })
      expect(await t.foreign.hostStateText('launched_agents')).toBe(text)
      expect((await hostState.keys()).items).toEqual(['launched_agents'])
      const saved = savedRev(await hostState.save('launched_agents', { a: 1 }, { ifRev: rev }))
      expect(await hostState.load('launched_agents')).toMatchObject({ value: { a: 1 }, rev: saved })
    })

  clause('C-ALL-9', 'it stays unreadable over a restart, under the same rev', async (t) => {
    await t.backend.hostState.save('launched_agents', { a: 1 })
    await t.foreign.writeHostStateText('launched_agents', '{"a":')
    const { rev } = await refused(t.backend.hostState.load('launched_agents'), 'corrupt')
    const { hostState } = await t.reopen()
    expect(await refused(hostState.load('launched_agents'), 'corrupt')).toMatchObject({ rev })
    expect(await t.foreign.hostStateText('launched_agents')).toBe('{"a":')
  })
}
