import type { JsonValue } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { present, refused, savedRev } from '../samples.ts'

const values: JsonValue[] = [
  null,
  true,
  false,
  0,
  -1.5,
  1e300,
  '',
  'ünïcode 🚀 "quoted" \\ \n',
  [],
  [1, [2, [null]], 'three'],
  {},
  { '7': { project: 'alpha', status: 'open' }, '': 'empty member', nested: { list: [{ a: 1 }] } },
]

export const hostStateSave = (clause: Clause): void => {
  clause('C-STATE-1', 'any JSON value comes back, with its rev and time', async ({ backend }) => {
    const { hostState } = backend
    for (const [index, value] of values.entries()) {
      const rev = savedRev(await hostState.save(`key-${index}`, value))
      const entry = present(await hostState.load(`key-${index}`))
      expect(entry).toEqual({ key: `key-${index}`, value, rev, updatedAt: expect.any(Date) })
      expect(entry.updatedAt.getTime()).toBeGreaterThan(0)
    }
  })

  clause('C-STATE-1', 'a key that was never saved is null', async ({ backend }) => {
    expect(await backend.hostState.load('launched_agents')).toBeNull()
  })

  clause('C-ALL-5', 'a name that cannot be is invalid, whatever rev comes with it', async ({ backend }) => {
    for (const options of [{}, { ifRev: null }, { ifRev: 'another' }])
      await refused(backend.hostState.save('../no', 1, options), 'invalid')
  })

  clause('C-STATE-1', 'a second save replaces the whole value', async ({ backend }) => {
    await backend.hostState.save('tracked_issues', { a: 1, b: 2 })
    await backend.hostState.save('tracked_issues', { b: 3 })
    expect(await backend.hostState.load('tracked_issues')).toMatchObject({ value: { b: 3 } })
    expect(present(await backend.hostState.load('tracked_issues')).value).not.toHaveProperty('a')
  })

  clause('C-STATE-2', 'a save with a stale rev is refused and names the current one', async (t) => {
    const { hostState } = t.backend
    const first = savedRev(await hostState.save('launched_agents', { a: 1 }))
    const second = savedRev(await (await t.peer()).hostState.save('launched_agents', { a: 2 }, { ifRev: first }))
    expect(second).not.toBe(first)
    expect(await hostState.save('launched_agents', { a: 3 }, { ifRev: first })).toEqual({
      status: 'conflict',
      current: second,
    })
    expect(await hostState.load('launched_agents')).toMatchObject({ value: { a: 2 }, rev: second })
  })

  clause('C-STATE-2', "another program's edit makes our rev stale", async (t) => {
    const { hostState } = t.backend
    const ours = savedRev(await hostState.save('launched_agents', { a: 1 }))
    await t.foreign.writeHostStateText('launched_agents', '{ "a": 1, "by": "hand" }')
    const theirs = present(await hostState.load('launched_agents'))
    expect(theirs).toMatchObject({ value: { a: 1, by: 'hand' } })
    expect(await hostState.save('launched_agents', {}, { ifRev: ours })).toEqual({
      status: 'conflict',
      current: theirs.rev,
    })
    savedRev(await hostState.save('launched_agents', { a: 4 }, { ifRev: theirs.rev }))
    expect(await hostState.load('launched_agents')).toMatchObject({ value: { a: 4 } })
  })

  clause('C-STATE-2', 'a key that another program made is an ordinary one', async (t) => {
    await t.foreign.insertHostState('merge_queue', '[ {"pr": 1} ]')
    const entry = present(await t.backend.hostState.load('merge_queue'))
    expect(entry.value).toEqual([{ pr: 1 }])
    expect(await t.backend.hostState.save('merge_queue', [], { ifRev: null })).toMatchObject({ current: entry.rev })
    savedRev(await t.backend.hostState.save('merge_queue', [], { ifRev: entry.rev }))
  })
}

export const hostStateRevs = (clause: Clause): void => {
  clause('C-ALL-4', 'ifRev null means that it must not exist', async ({ backend }) => {
    const { hostState } = backend
    const rev = savedRev(await hostState.save('k', 1, { ifRev: null }))
    expect(await hostState.save('k', 2, { ifRev: null })).toEqual({ status: 'conflict', current: rev })
    expect(await hostState.load('k')).toMatchObject({ value: 1 })
  })

  clause('C-ALL-4', 'a rev of what is gone is a conflict with nothing', async ({ backend }) => {
    const { hostState } = backend
    const rev = savedRev(await hostState.save('k', 1))
    await hostState.delete('k')
    expect(await hostState.save('k', 2, { ifRev: rev })).toEqual({ status: 'conflict', current: null })
    expect(await hostState.load('k')).toBeNull()
  })

  clause('C-ALL-4', 'a value that changed and changed back has the rev it had', async ({ backend }) => {
    const { hostState } = backend
    const first = savedRev(await hostState.save('k', { a: 1 }))
    const second = savedRev(await hostState.save('k', { a: 2 }))
    const third = savedRev(await hostState.save('k', { a: 1 }))
    expect(third).toBe(first)
    expect(second).not.toBe(first)
    savedRev(await hostState.save('k', { a: 5 }, { ifRev: first }))
  })
}

export const hostStateDelete = (clause: Clause): void => {
  clause('C-STATE-6', 'delete removes the key once, and is refused with a stale rev', async (t) => {
    const { hostState } = t.backend
    expect(await hostState.delete('k')).toEqual({ status: 'absent' })
    const first = savedRev(await hostState.save('k', 1))
    const second = savedRev(await hostState.save('k', 2))
    expect(await hostState.delete('k', { ifRev: first })).toEqual({ status: 'conflict', current: second })
    expect(await hostState.load('k')).toMatchObject({ value: 2 })
    expect(await hostState.delete('k', { ifRev: second })).toEqual({ status: 'deleted' })
    expect(await hostState.load('k')).toBeNull()
    expect(await hostState.delete('k', { ifRev: second })).toEqual({ status: 'absent' })
    await t.foreign.insertHostState('theirs', '{}')
    expect(await hostState.delete('theirs')).toEqual({ status: 'deleted' })
  })

  clause('C-STATE-6', 'a deleted key can be saved anew', async ({ backend }) => {
    const { hostState } = backend
    await hostState.save('k', 1)
    await hostState.delete('k')
    savedRev(await hostState.save('k', 3, { ifRev: null }))
    expect(await hostState.load('k')).toMatchObject({ value: 3 })
  })
}
