import type { JsonValue } from '@nexus/core'
import { maxUpdateTries } from '@nexus/core'
import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { present, refused, savedRev } from '../samples.ts'

const plusOne = (value: JsonValue | null): JsonValue => (typeof value === 'number' ? value + 1 : 1)

export const hostStateUpdate = (clause: Clause): void => {
  clause('C-STATE-4', 'the next value is computed from the present one', async ({ backend }) => {
    const { hostState } = backend
    const seen: (JsonValue | null)[] = []
    const change = (value: JsonValue | null) => {
      seen.push(value)
      return plusOne(value)
    }
    expect(await hostState.update('counter', change)).toMatchObject({ status: 'saved', value: 1 })
    const second = await hostState.update('counter', change)
    expect(second).toMatchObject({ status: 'saved', value: 2 })
    expect(seen).toEqual([null, 1])
    expect(await hostState.load('counter')).toMatchObject({ value: 2, rev: 'rev' in second ? second.rev : '' })
  })

  clause('C-STATE-4', 'undefined leaves it unchanged', async ({ backend }) => {
    const { hostState } = backend
    expect(await hostState.update('k', () => undefined)).toEqual({ status: 'unchanged', rev: null })
    expect(await hostState.load('k')).toBeNull()
    const rev = savedRev(await hostState.save('k', 5))
    expect(await hostState.update('k', () => undefined)).toEqual({ status: 'unchanged', rev })
    expect(await hostState.load('k')).toMatchObject({ value: 5, rev })
  })

  clause('C-STATE-4', 'what the change throws ends the call, and nothing is written', async ({ backend }) => {
    const { hostState } = backend
    const rev = savedRev(await hostState.save('k', 5))
    const thrown = new Error('no')
    const change = () => {
      throw thrown
    }
    await expect(hostState.update('k', change)).rejects.toBe(thrown)
    await refused(
      hostState.update('k', () => Number.POSITIVE_INFINITY),
      'invalid',
    )
    expect(await hostState.load('k')).toMatchObject({ value: 5, rev })
  })
}

export const hostStateUpdateRaces = (clause: Clause): void => {
  clause(
    'C-STATE-4',
    'against a writer that always comes between it gives up after a bounded number of tries',
    async (t) => {
      const peer = await t.peer()
      const between: Promise<unknown>[] = []
      const result = await t.backend.hostState.update('k', () => {
        between.push(peer.hostState.save('k', `theirs ${between.length}`))
        return 'ours'
      })
      await Promise.all(between)
      expect(between.length).toBeLessThanOrEqual(maxUpdateTries)
      expect(['saved', 'conflict']).toContain(result.status)
      expect(await t.backend.hostState.load('k')).not.toBeNull()
    },
  )

  clause('C-STATE-4', 'racing updates are all counted', async (t) => {
    const peer = await t.peer()
    const stores = [t.backend.hostState, peer.hostState]
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => present(stores[index % 2]).update('counter', plusOne)),
    )
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 'saved'))
    expect(await t.backend.hostState.load('counter')).toMatchObject({ value: 8 })
  })
}
