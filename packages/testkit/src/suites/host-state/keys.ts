import { expect } from 'vitest'
import type { Clause } from '../clause.ts'
import { everyPage } from '../samples.ts'

/** In the byte order of UTF-8; by UTF-16 units the last two would change places. */
const ordered = ['Q', 'Z', '_', 'a', 'a b', 'a-b', 'a.b', 'aa', 'b', '~', 'é', '中', '\uFF5A', '\u{1D4B3}']

export const hostStateKeys = (clause: Clause): void => {
  clause('C-STATE-5', 'keys come in byte order', async ({ backend }) => {
    for (const key of [...ordered].reverse()) await backend.hostState.save(key, key)
    expect((await backend.hostState.keys()).items).toEqual(ordered)
    const paged = await everyPage((request) => backend.hostState.keys(request), 3)
    expect(paged.items).toEqual(ordered)
  })

  clause('C-STATE-5', 'unreadable ones are keys too', async (t) => {
    await t.backend.hostState.save('good', 1)
    await t.foreign.insertHostState('broken', '{"cut":')
    expect((await t.backend.hostState.keys()).items).toEqual(['broken', 'good'])
  })

  clause('C-STATE-5', 'there are none at first and none that was deleted', async ({ backend }) => {
    expect(await backend.hostState.keys()).toEqual({ items: [], corrupt: [], cursor: null })
    await backend.hostState.save('k', 1)
    await backend.hostState.delete('k')
    expect((await backend.hostState.keys()).items).toEqual([])
  })
}
