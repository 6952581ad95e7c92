import { type HostStateEntry, type JsonValue, patchJsonText, type Rev, type StatePatch } from '@nexus/core'
import type { KnownState } from './journal-view.ts'

/** How much is remembered: what was used longest ago goes first. */
const maxKeys = 10_000
const maxCharacters = 64 * 1024 * 1024

/**
 * The last value of each key of the host state that this process saw or wrote while the database served: what an outage
 * starts from. [C-ROUTE-9]
 */
export interface LastKnown {
  get(key: string): KnownState | null
  keys(): string[]
  loaded(key: string, entry: HostStateEntry | null): void
  saved(key: string, value: JsonValue, rev: Rev): void
  /** Others may have patched other members: what results is what is known, and no rev names it. */
  patched(key: string, change: StatePatch): void
  deleted(key: string): void
  /** What is there now is not known. */
  forget(key: string): void
  /** What an outage wrote, when it is over. */
  take(states: ReadonlyMap<string, KnownState>): void
}

export const createLastKnown = (now: () => number): LastKnown => {
  const states = new Map<string, KnownState>()
  let characters = 0

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

  return {
    get: (key) => states.get(key) ?? null,
    keys: () => [...states].flatMap(([key, { text }]) => (text === null ? [] : [key])),
    loaded(key, entry) {
      const former = states.get(key)
      if (entry && former && former.rev === entry.rev) return set(key, former)
      set(key, {
        text: entry ? JSON.stringify(entry.value) : null,
        rev: entry?.rev ?? '',
        updatedAt: entry?.updatedAt ?? new Date(now()),
      })
    },
    saved: (key, value, rev) => set(key, { text: JSON.stringify(value), rev, updatedAt: new Date(now()) }),
    patched(key, change) {
      const former = states.get(key)
      const patched = former ? patchJsonText(former.text ?? '{}', change) : null
      if (patched?.ok) set(key, { text: patched.text, rev: '', updatedAt: new Date(now()) })
      else forget(key)
    },
    deleted: (key) => set(key, { text: null, rev: '', updatedAt: new Date(now()) }),
    forget,
    take(all) {
      for (const [key, state] of all) set(key, state)
    },
  }
}
