import { holderOf } from './inbox-layout.ts'
import type { InboxTools } from './inbox-tools.ts'

/** Writes a worker's name down once, before the first file name that stands for it. */
export const createHolders = ({ atomic, inbox, reading }: InboxTools) => {
  const written = new Set<string>()
  return {
    async write(worker: string): Promise<string> {
      const holder = holderOf(worker)
      if (!written.has(holder)) await atomic.createOnce(inbox.holderFile(holder), worker)
      written.add(holder)
      return holder
    },
    async read(holder: string): Promise<string | null> {
      return (await reading.read(inbox.holderFile(holder)))?.bytes.toString('utf8') ?? null
    },
  }
}

export type Holders = ReturnType<typeof createHolders>
