import type { JsonObject } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { present, refused, savedRev } from '../samples.ts'

const text = '{\n  "big": 12345678901234567890,\n  "esc": "\\u00e9\\/",\n  "twice": 1,\n  "n": 1.50,\n  "twice": 2\n}\n'

export const hostStatePatch = (clause: Clause): void => {
  clause('C-STATE-3', 'members are set and removed, the others stay', async ({ backend }) => {
    const { hostState } = backend
    await hostState.save('tracked_issues', { '7': 'open', '8': 'open', '9': 'open' })
    const rev = savedRev(await hostState.patch('tracked_issues', { entries: { '7': 'closed', x: [1] }, remove: ['8'] }))
    expect(await hostState.load('tracked_issues')).toMatchObject({ rev })
    expect(present(await hostState.load('tracked_issues')).value).toEqual({ '7': 'closed', '9': 'open', x: [1] })
  })

  clause('C-STATE-3', 'a missing key becomes an object', async ({ backend }) => {
    const { hostState } = backend
    savedRev(await hostState.patch('new', { entries: { a: 1 }, remove: ['b'] }))
    expect(present(await hostState.load('new')).value).toEqual({ a: 1 })
    savedRev(await hostState.patch('empty', { remove: ['b'] }))
    expect(present(await hostState.load('empty')).value).toEqual({})
  })

  clause('C-STATE-3', 'a member both set and removed is removed', async ({ backend }) => {
    const { hostState } = backend
    await hostState.save('k', { a: 1, b: 1 })
    savedRev(await hostState.patch('k', { entries: { a: 2 }, remove: ['a'] }))
    expect(present(await hostState.load('k')).value).toEqual({ b: 1 })
  })

  clause('C-STATE-3', 'a list or scalar has no members, and stays', async ({ backend }) => {
    const { hostState } = backend
    for (const [index, value] of [[{ a: 1 }], 'text', 7, false, null].entries()) {
      const rev = savedRev(await hostState.save(`k-${index}`, value))
      expect(await hostState.patch(`k-${index}`, { entries: { a: 2 } })).toEqual({ status: 'not-object', current: rev })
      expect(await hostState.load(`k-${index}`)).toMatchObject({ value, rev })
    }
  })

  clause('C-STATE-3', 'members it does not name keep their source text', async (t) => {
    await t.foreign.insertHostState('launched_agents', text)
    savedRev(await t.backend.hostState.patch('launched_agents', { entries: { n: 2, added: true } }))
    const after = await t.foreign.hostStateText('launched_agents')
    for (const kept of ['"big": 12345678901234567890', '"esc": "\\u00e9\\/"', '"twice": 1,', '"twice": 2'])
      expect(after).toContain(kept)
    expect(present(await t.backend.hostState.load('launched_agents')).value).toMatchObject({
      n: 2,
      added: true,
      twice: 2,
    })
  })
}

export const hostStatePatchInput = (clause: Clause): void => {
  clause('C-STATE-3', 'a member that stands there twice is one afterwards', async (t) => {
    await t.foreign.insertHostState('k', text)
    savedRev(await t.backend.hostState.patch('k', { remove: ['twice'] }))
    expect(present(await t.backend.hostState.load('k')).value).not.toHaveProperty('twice')
  })

  clause('C-STATE-3', 'what JSON cannot express is invalid, and nothing is written', async ({ backend }) => {
    const { hostState } = backend
    const rev = savedRev(await hostState.save('k', { a: 1 }))
    for (const bad of [undefined, Number.NaN, () => 1, new Date(0), Symbol('s')])
      await refused(hostState.patch('k', { entries: { a: bad } as unknown as JsonObject }), 'invalid')
    await refused(hostState.patch('new', { entries: { a: undefined } as unknown as JsonObject }), 'invalid')
    expect(await hostState.load('k')).toMatchObject({ value: { a: 1 }, rev })
    expect(await hostState.load('new')).toBeNull()
  })

  clause('C-STATE-3', '__proto__ is a member like others', async ({ backend }) => {
    const { hostState } = backend
    savedRev(await hostState.patch('k', { entries: JSON.parse('{"__proto__": {"x": 1}, "a": 1}') as JsonObject }))
    expect(JSON.stringify(present(await hostState.load('k')).value)).toBe('{"__proto__":{"x":1},"a":1}')
    savedRev(await hostState.patch('k', { remove: ['__proto__', 'toString'] }))
    expect(present(await hostState.load('k')).value).toEqual({ a: 1 })
  })
}
