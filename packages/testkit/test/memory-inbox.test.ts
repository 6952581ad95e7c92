import { describe } from 'vitest'
import type { Harness } from '../src/harness.ts'
import { createMemoryData, type MemoryData, openMemoryBackend, openMemoryHarness } from '../src/index.ts'
import { setForeignInboxStatus } from '../src/memory/inbox-foreign.ts'
import { createClause } from '../src/suites/clause.ts'
import { inboxForeignClaim } from '../src/suites/inbox/index.ts'

describe('memory, beside a program that writes the status of inbox tasks', () => {
  const dataOf = new WeakMap<Harness, MemoryData>()
  const open = async (): Promise<Harness> => {
    const data = createMemoryData()
    const harness = await openMemoryHarness((context) => openMemoryBackend(context, data))
    dataOf.set(harness, data)
    return harness
  }
  inboxForeignClaim(async (t, id, status) => {
    const data = dataOf.get(t)
    if (data) setForeignInboxStatus(data.inbox, id, status, t.clock.now())
  })(createClause(open))
})
