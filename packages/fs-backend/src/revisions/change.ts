import type { Stats } from 'node:fs'
import { relative } from 'node:path'
import type { Bytes } from '../atomic.ts'
import { Facts, type NewFacts, type Operation, stampOf } from './operation.ts'

/** One change that a caller wants, decided from what is there. Paths are absolute. */
export type Change = { path: string; facts?: { folder: string; facts: NewFacts } | undefined } & (
  | { kind: 'put'; bytes: Bytes; modified: Date; base: Stats | null }
  | { kind: 'drop'; base: Stats }
  | { kind: 'move'; folder: string; filename: string; base: Stats; project: string }
)

/** Nothing to do, or a change; `staged` learns of the new file before anybody can see it. */
export type Decision<T> = { answer: T } | ({ answer: T } & Planned)

export interface Planned {
  change: Change
  staged?: ((stat: Stats) => Promise<void>) | undefined
}

export const operationOf = (root: string, change: Change): Operation => {
  const inside = (path: string): string => relative(root, path)
  const path = inside(change.path)
  const facts = change.facts && {
    folder: inside(change.facts.folder),
    facts: Facts.parse(change.facts.facts),
  }
  const shared = { path, ...(facts && { facts }) }
  switch (change.kind) {
    case 'put':
      return { kind: 'put', ...shared, base: change.base && stampOf(change.base) }
    case 'drop':
      return { kind: 'drop', ...shared, base: stampOf(change.base) }
    case 'move': {
      const { filename, project } = change
      return { kind: 'move', ...shared, filename, project, folder: inside(change.folder), base: stampOf(change.base) }
    }
  }
}
