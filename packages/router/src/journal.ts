import { type JournaledOperation, type JournalFiles, type JsonValue, StoreError } from '@nexus/core'
import { decodeRecord, encodeRecord, type JournalRecord } from './journal-record.ts'
import { createFold, type Fold, type JournalView } from './journal-view.ts'

/** How much an outage may write before its writes are refused. */
interface JournalLimits {
  operations: number
  bytes: number
}

export const journalLimits: JournalLimits = { operations: 100_000, bytes: 256 * 1024 * 1024 }

type End = JournalRecord & { kind: 'end' }

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
  seal(generation: number, slot: number, end: Omit<End, 'kind'>): Promise<boolean>
  /** Removes what old outages left. */
  prune(): Promise<void>
  readonly place: string
}

/** Stands where a record was taken away; it cannot be read as one. */
const hole = Buffer.from('{}\n')

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

const obstacle = (place: string, slot: number): StoreError =>
  new StoreError({
    code: 'unavailable',
    message: `Something that is no file stands in the place of record ${slot} of the journal: look into ${place}.`,
  })

/** The record is on the disk; whether it counts could not be seen. */
const unsure = (error: unknown): unknown =>
  error instanceof StoreError
    ? new StoreError({ code: error.code, message: error.message, cause: error.cause, outcome: 'unknown' })
    : error

/** What ended a generation, found without reading all of it. */
const endOf = async (files: JournalFiles, generation: number): Promise<End | null> => {
  const last = (await files.slots(generation)).at(-1)
  const bytes = last === undefined ? null : await files.read(generation, last)
  const record = bytes && decodeRecord(bytes)
  return record?.kind === 'end' ? record : null
}

/** Where this process is in the newest generation. */
interface Position {
  generation: number
  /** Null: that outage is over. */
  fold: Fold | null
}

const createPosition = (files: JournalFiles, onEnd: JournalOptions['onEnd']) => {
  let position: Position = { generation: 0, fold: null }

  const newest = async (): Promise<number> => (await files.generations()).at(-1) ?? 0

  /** Reads on in the generation that is held; what an ended outage wrote is handed over, and not kept. */
  const readOn = async (): Promise<void> => {
    const { generation, fold } = position
    while (fold && !fold.isSealed) {
      const bytes = await files.read(generation, fold.next)
      if (!bytes) return
      fold.add(decodeRecord(bytes), bytes.length)
    }
    if (!fold) return
    onEnd?.(fold.states)
    position = { generation, fold: null }
  }

  return {
    newest,
    /** The newest generation, read to its present end. */
    async now(): Promise<Position> {
      await readOn()
      const generation = await newest()
      if (generation > position.generation) {
        position = { generation, fold: (await endOf(files, generation)) ? null : createFold(generation) }
        await readOn()
      }
      return position
    },
    move(fold: Fold): void {
      position = { generation: fold.generation, fold }
    },
  }
}

export interface JournalOptions {
  limits?: JournalLimits
  /** Hears what an outage left under each key of the host state, when this process sees its end. */
  onEnd?: (states: JournalView['states']) => void
}

export const createJournal = (files: JournalFiles, { limits = journalLimits, onEnd }: JournalOptions = {}): Journal => {
  const turn = createTurns()
  const position = createPosition(files, onEnd)

  const appendOnce = async <T>(write: Write<T>): Promise<{ answer: T } | null> => {
    const { generation, fold: open } = await position.now()
    const { answer, record } = write(open)
    if (!record) {
      // It is answered from a record that another process may not have seen to be durable yet.
      if (open && open.next > 1) await files.create(generation, open.next - 1, hole)
      return { answer }
    }
    if (open && (open.next > limits.operations || open.bytes > limits.bytes)) throw full(open, files.place)
    // After the one that was seen to be over, whatever others began meanwhile: then its first slot is taken.
    const target = open ?? createFold(generation + 1)
    const bytes = encodeRecord({ kind: 'operation', ...record })
    if ((await files.create(target.generation, target.next, bytes)) === 'exists') {
      if (!(await files.read(target.generation, target.next))) throw obstacle(files.place, target.next)
      return null
    }
    // A process that stood still here for the whole of an outage wrote into what is over: nobody would read it.
    const latest = await position.newest().catch((error: unknown) => {
      throw unsure(error)
    })
    if (latest !== target.generation) return null
    target.add({ kind: 'operation', ...record }, bytes.length)
    position.move(target)
    return { answer }
  }

  const append = async <T>(write: Write<T>): Promise<T> => {
    for (;;) {
      const appended = await appendOnce(write)
      if (appended) return appended.answer
    }
  }

  let nextView: Promise<JournalView | null> | null = null
  /** Who asks before a look begins shares it. */
  const view = (): Promise<JournalView | null> => {
    nextView ??= turn(async () => {
      nextView = null
      return (await position.now()).fold
    })
    return nextView
  }

  return {
    place: files.place,
    view,
    append: (write) => turn(() => append(write)),
    async read(generation, slot) {
      const bytes = await files.read(generation, slot)
      if (bytes) return { record: decodeRecord(bytes) }
      if (((await files.slots(generation)).at(-1) ?? 0) < slot) return null
      // Somebody took a record away. The hole is filled, or a writer would put its own where replay has passed.
      await files.create(generation, slot, hole)
      const filled = await files.read(generation, slot)
      return { record: filled && decodeRecord(filled) }
    },
    async seal(generation, slot, end) {
      if ((await files.create(generation, slot, encodeRecord({ kind: 'end', ...end }))) === 'created') return true
      if (!(await files.read(generation, slot))) throw obstacle(files.place, slot)
      return false
    },
    async prune() {
      for (const generation of (await files.generations()).slice(0, -keptGenerations)) {
        const end = await endOf(files, generation)
        // What could not be read is kept: somebody may still save it.
        if (end?.unreadable === 0) await files.remove(generation)
      }
    },
  }
}
