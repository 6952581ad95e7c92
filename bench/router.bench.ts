import { readConfig } from '@nexus/core'
import { openRouter } from '@nexus/router'
import { openMemoryBackend } from '@nexus/testkit'
import { test } from 'vitest'
import { context } from './context.ts'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'

const calls = 200_000

/** Nanoseconds of a call that is answered at once, its answer awaited. */
const nsOf = async (call: () => Promise<unknown>): Promise<number> => {
  const begun = performance.now()
  for (let n = 0; n < calls; n += 1) await call()
  return ((performance.now() - begun) * 1e6) / calls
}

test('what the router adds to a call', async () => {
  const memory = openMemoryBackend(context)
  const routed = await openRouter({
    config: readConfig({ NEXUS_INBOX_BACKEND: 'postgres', NEXUS_STORAGE_DSN: 'postgresql://nobody@localhost/none' }),
    registry: { filesystem: async () => memory, postgres: async () => memory },
    context,
  })
  const proxy = new Proxy(memory.inbox, {})
  const bound = { oldestDue: () => memory.inbox.oldestDue() }
  const found = await interleave({
    direct: () => nsOf(() => memory.inbox.oldestDue()),
    directFiles: () => nsOf(() => memory.hostState.load('none')),
    files: () => nsOf(() => routed.hostState.load('none')),
    postgres: () => nsOf(() => routed.inbox.oldestDue()),
    closure: () => nsOf(() => bound.oldestDue()),
    proxy: () => nsOf(() => proxy.oldestDue()),
  })
  const beyond = (some: readonly number[], direct: readonly number[]) =>
    some.map((ns, round) => ns - (direct[round] ?? Number.NaN))
  const { direct } = found
  const others = { 'bound closure': beyond(found.closure, direct), Proxy: beyond(found.proxy, direct) }
  const mark = { atMost: 100 }
  const files = beyond(found.files, found.directFiles)
  publish({ row: 'routed call, files', unit: 'ns', rounds: { ours: files, ...others }, mark })
  const postgres = beyond(found.postgres, direct)
  publish({ row: 'routed call, PostgreSQL', unit: 'ns', rounds: { ours: postgres, ...others }, mark })
  await routed[Symbol.asyncDispose]()
})
