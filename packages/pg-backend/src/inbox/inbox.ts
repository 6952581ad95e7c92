import { type InboxStore, StoreError } from '@nexus/core'
import type { PgTools } from '../tools.ts'

/** The inbox on PostgreSQL. Disposing ends its connection for LISTEN. */
export const createInbox = ({ checkOpen }: PgTools): InboxStore & AsyncDisposable => {
  const refuse = async (): Promise<never> => {
    checkOpen()
    throw new StoreError({ code: 'unsupported', message: 'The inbox on PostgreSQL is not available in this version.' })
  }
  return {
    enqueue: refuse,
    claim: refuse,
    bind: refuse,
    heartbeat: refuse,
    complete: refuse,
    fail: refuse,
    release: refuse,
    resume: refuse,
    sweep: refuse,
    requeue: refuse,
    cancel: refuse,
    load: refuse,
    counts: refuse,
    list: refuse,
    purge: refuse,
    watch: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
    async [Symbol.asyncDispose]() {},
  }
}
