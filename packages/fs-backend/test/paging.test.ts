import { decodeCursor } from '@nexus/core'
import { expect, test } from 'vitest'
import { newestFirst, readPage } from '../src/paging.ts'

type Key = [number, string]

interface Candidate {
  key: Key
}

const candidates = (times: readonly number[]) =>
  async function* () {
    // In groups and out of order, as they lie in folders.
    for (const parity of [0, 1]) yield times.filter((at) => at % 2 === parity).map((at) => ({ key: [at, ''] as Key }))
  }

const pageOf = async (after: Key | null, limit: number, gone: readonly number[]) => {
  const reads: number[] = []
  const page = await readPage<Candidate, Key, number>(
    { limit },
    {
      after,
      compare: newestFirst,
      candidates: candidates([1, 2, 3, 4, 5, 6, 7, 8]),
      async read({ key: [at] }) {
        reads.push(at)
        return gone.includes(at) ? null : { ok: true, item: at }
      },
    },
  )
  return { items: page.items, next: page.cursor && decodeCursor({ cursor: page.cursor }, 2), reads }
}

test('[C-ALL-8] a page reads the documents it shows and no other', async () => {
  expect(await pageOf(null, 3, [])).toEqual({ items: [8, 7, 6], next: [6, ''], reads: [8, 7, 6] })
  expect(await pageOf([3, ''], 2, [])).toEqual({ items: [2, 1], next: null, reads: [2, 1] })
})

test('[C-ALL-8] what went since it was chosen leaves its place to the next, and ends no list early', async () => {
  expect(await pageOf(null, 3, [8, 6])).toEqual({ items: [7, 5, 4], next: [4, ''], reads: [8, 7, 6, 5, 4] })
  expect(await pageOf(null, 2, [8, 7, 6, 5])).toEqual({ items: [4, 3], next: [3, ''], reads: [8, 7, 6, 5, 4, 3] })
  expect(await pageOf([3, ''], 2, [1])).toEqual({ items: [2], next: null, reads: [2, 1] })
})
