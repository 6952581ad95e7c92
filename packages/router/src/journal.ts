import { type JournaledOperation, type JournalFiles, type JsonValue, StoreError } from '@nexus/core'
import { decodeRecord, encodeRecord, type JournalRecord } from './journal-record.ts'
import { createFold, type Fold, type JournalView } from './journal-view.ts'

/** How much an outage may write before its writes are refused. */
export interface JournalLimits {
  operations: number
  bytes: number
}

export const journalLimits: JournalLimits = { operations: 100_000, bytes: 256 * 1024 * 1024 }

/** What is left of ended outages for a person to look at. */
const keptGenerations = 5

/** What a writer decides when it sees what the outage wrote so far; null: nothing is to be written. */
type Write<T> = (view: JournalView | null) => { answer: T; record: Recorded | null }

interface Recorded {
  journaled: JournaledOperation
  /** What a patch made of the whole value. */
  value?: JsonValue
}

export interface Slot {
  /** Null: it cannot be read. */
  record: JournalRecord | null
}

/**
 * The journal of a root, shared by all its processes. Its records are create-once and numbered, so a writer that was
 * overtaken sees it at once, and the record that ends an outage ends it for everybody. [C-ROUTE-11]
 */
export interface Journal {
  /** What the outage wrote so far, by whichever process; null where there is none that is not over. */
  view(): Promise<JournalView | null>
  /** Durable when it resolves. Begins an outage where there is none. */
  append<T>(write: Write<T>): Promise<T>
  /** Null where nothing was written there yet. */
  read(generation: number, slot: number): Promise<Slot | null>
  /** Ends the outage, if nothing was written at that slot yet. */
  seal(generation: number, slot: number, end: Omit<JournalRecord & { kind: 'end' }, 'kind'>): Promise<boolean>
  /** Removes what old outages left. */
  prune(): Promise<void>
  readonly place: string
}

/** Runs calls one after the other. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve()
  return <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
}

const full = (view: JournalView, place: string): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: `The journal of the outage is full (${view.next - 1} operations, ${view.bytes} bytes): ${place}. Writes are taken again when the database is back.`,
  })

export const createJournal = (files: JournalFiles, limits: JournalLimits = journalLimits): Journal => {
  const turn = createTurns()
  let fold: Fold | null = null

  const newest = async (): Promise<number> => (await files.generations()).at(-1) ?? 0

  /** The newest generation, read to its present end. */
  const readOn = async (): Promise<Fold | null> => {
    const generation = await newest()
    if (generation === 0) return null
    if (fold?.generation !== generation) fold = createFold(generation)
    while (!fold.isSealed) {
      const bytes = await files.read(generation, fold.next)
      if (!bytes) break
      fold.add(decodeRecord(bytes), bytes.length)
    }
    return fold
  }

  const readOpen = async (): Promise<Fold | null> => {
    const last = await readOn()
    return last?.isSealed ? null : last
  }

  const appendOnce = async <T>(write: Write<T>): Promise<{ answer: T } | null> => {
    const last = await readOn()
    const open = last?.isSealed ? null : last
    const { answer, record } = write(open)
    if (!record) return { answer }
    if (open && (open.next > limits.operations || open.bytes > limits.bytes)) throw full(open, files.place)
    // After the one that was seen to be over, whatever others began meanwhile: then its first slot is taken.
    const target = open ?? createFold((last?.generation ?? 0) + 1)
    const bytes = encodeRecord({ kind: 'operation', ...record })
    if ((await files.create(target.generation, target.next, bytes)) === 'exists') return null
    // A process that stood still here for the whole of an outage wrote into what is over: nobody would read it.
    if ((await newest()) !== target.generation) return null
    fold = target
    target.add({ kind: 'operation', ...record }, bytes.length)
    return { answer }
  }

  const append = async <T>(write: Write<T>): Promise<T> => {
    for (;;) {
      const appended = await appendOnce(write)
      if (appended) return appended.answer
    }
  }

  const endOf = async (generation: number): Promise<(JournalRecord & { kind: 'end' }) | null> => {
    const last = (await files.slots(generation)).at(-1)
    const bytes = last === undefined ? null : await files.read(generation, last)
    const record = bytes && decodeRecord(bytes)
    return record?.kind === 'end' ? record : null
  }

  return {
    place: files.place,
    view: () => turn(readOpen),
    append: (write) => turn(() => append(write)),
    async read(generation, slot) {
      const bytes = await files.read(generation, slot)
      if (bytes) return { record: decodeRecord(bytes) }
      if (((await files.slots(generation)).at(-1) ?? 0) < slot) return null
      // Somebody took a record away. The hole is filled, or a writer would put its own where replay has passed.
      await files.create(generation, slot, Buffer.from('{}\n'))
      const filled = await files.read(generation, slot)
      return { record: filled && decodeRecord(filled) }
    },
    async seal(generation, slot, end) {
      return (await files.create(generation, slot, encodeRecord({ kind: 'end', ...end }))) === 'created'
    },
    async prune() {
      for (const generation of (await files.generations()).slice(0, -keptGenerations)) {
        const end = await endOf(generation)
        // What could not be read is kept: somebody may still save it.
        if (end && end.unreadable === 0) await files.remove(generation)
      }
    },
  }
}
