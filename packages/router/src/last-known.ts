import { type HostStateEntry, type JsonValue, patchJsonText, type Rev, type StatePatch } from '@nexus/core'
import type { KnownState } from './journal-view.ts'

/** How much is remembered: what was used longest ago goes first. */
const maxKeys = 10_000
const maxCharacters = 64 * 1024 * 1024

interface Mark {
  readonly key: string
  readonly writes: number
}

/**
 * The last value of each key of the host state that this process saw or wrote while the database served: what an outage
 * starts from. [C-ROUTE-9]
 */
export interface LastKnown {
  get(key: string): KnownState | null
  keys(): string[]
  /** To be asked before a call and given back with its answer: answers may come in another order than their effects. */
  mark(key: string): Mark
  loaded(mark: Mark, entry: HostStateEntry | null): void
  saved(mark: Mark, value: JsonValue, rev: Rev): void
  /** Others may have patched other members: what results is what is known, and no rev names it. */
  patched(mark: Mark, change: StatePatch): void
  deleted(mark: Mark): void
  /** What an outage wrote, when it is over. */
  take(states: ReadonlyMap<string, KnownState>): void
}

export const createLastKnown = (now: () => number): LastKnown => {
  const states = new Map<string, KnownState>()
  /** How many writes of a key were answered; beyond the bound all begin anew, as if each had been written just now. */
  const writes = new Map<string, number>()
  let [characters, answered] = [0, 0]

  const forget = (key: string): void => {
    characters -= states.get(key)?.text?.length ?? 0
    states.delete(key)
  }

  const set = (key: string, state: KnownState): void => {
    forget(key)
    states.set(key, state)
    characters += state.text?.length ?? 0
    for (const oldest of states.keys()) {
      if (states.size <= maxKeys && characters <= maxCharacters) return
      forget(oldest)
    }
  }

  let floor = 0
  const writesOf = (key: string): number => writes.get(key) ?? floor

  /** A write whose answer came while another's was awaited: which of the two came last is not known. */
  const written = ({ key, writes: before }: Mark, state: () => KnownState | null): void => {
    const isAlone = writesOf(key) === before
    answered += 1
    if (writes.size > maxKeys) {
      writes.clear()
      floor = answered
    }
    writes.set(key, answered)
    const made = isAlone ? state() : null
    if (made) set(key, made)
    else forget(key)
  }

  return {
    get: (key) => states.get(key) ?? null,
    keys: () => [...states].flatMap(([key, { text }]) => (text === null ? [] : [key])),
    mark: (key) => ({ key, writes: writesOf(key) }),
    loaded({ key, writes: before }, entry) {
      if (writesOf(key) !== before) return
      const former = states.get(key)
      if (entry && former && former.rev === entry.rev) return set(key, former)
      set(key, {
        text: entry ? JSON.stringify(entry.value) : null,
        rev: entry?.rev ?? '',
        updatedAt: entry?.updatedAt ?? new Date(now()),
      })
    },
    saved: (mark, value, rev) =>
      written(mark, () => ({ text: JSON.stringify(value), rev, updatedAt: new Date(now()) })),
    patched: (mark, change) =>
      written(mark, () => {
        const former = states.get(mark.key)
        const patched = former ? patchJsonText(former.text ?? '{}', change) : null
        return patched?.ok ? { text: patched.text, rev: '', updatedAt: new Date(now()) } : null
      }),
    deleted: (mark) => written(mark, () => ({ text: null, rev: '', updatedAt: new Date(now()) })),
    take(all) {
      for (const [key, state] of all) set(key, state)
    },
  }
}
