/**
 * Numbered, create-once records in numbered generations, which every process of a root shares. It knows nothing of what
 * they say. A generation is one outage: its records are slots 1, 2, 3 … without a hole.
 */
export interface JournalFiles {
  /** The generations that are there, ascending. Synchronous and cheap: it is asked before every call. */
  generations(): readonly number[]
  /** Null where there is none. Synchronous and cheap where it is missing. */
  read(generation: number, slot: number): Buffer | null
  /** Durable when it resolves, for `exists` too. Of racing calls one is `created`. */
  create(generation: number, slot: number, bytes: Buffer): Promise<'created' | 'exists'>
  /** Removes a whole generation. */
  remove(generation: number): Promise<void>
  /** Where a generation lies, for people. */
  place(generation: number): string
}
