import type { Ids } from '@nexus/core'
import { createAttemptId } from '@nexus/engine'

/**
 * Names runs. The id says which root the run lies below: hosts of another root see nothing of it, so they must take
 * neither its absence for a run that never started, nor its agent for their own.
 */
export interface Attempts {
  next(): string
  /** Whether its run can only lie below our root. True for ids that name no root, as earlier hosts gave them. */
  isOurs(attempt: string): boolean
}

export const createAttempts = (ids: Pick<Ids, 'next'>, rootId: string): Attempts => {
  const tag = rootId.slice(0, 8)
  return {
    next: () => `${createAttemptId(ids.next())}-${tag}`,
    isOurs(attempt) {
      const [, root] = /^at-[0-9a-z]+-([0-9a-f]{8})$/.exec(attempt) ?? []
      return root === undefined || root === tag
    },
  }
}
