/**
 * Numbered, create-once records in numbered generations, which every process of a root shares. It knows nothing of what
 * they say. A generation is one outage; its records are slots 1, 2, 3 … [C-ROUTE-11]
 */
export interface JournalFiles {
  /** The generations that are there, ascending. Cheap where nothing changed: it is asked before every call. */
  generations(): Promise<readonly number[]>
  /** The slots of a generation that are there, ascending. */
  slots(generation: number): Promise<number[]>
  /** Null where there is none. */
  read(generation: number, slot: number): Promise<Buffer | null>
  /** Durable when it resolves, for `exists` too. Of racing calls one is `created`. */
  create(generation: number, slot: number, bytes: Buffer): Promise<'created' | 'exists'>
  /** Removes a whole generation. */
  remove(generation: number): Promise<void>
  /** The folder, for people. */
  readonly place: string
}
