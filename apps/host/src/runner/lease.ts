import { utimes } from 'node:fs/promises'
import type { Clock } from '@nexus/core'
import { errorCode } from './durable-file.ts'
import type { RunFolder } from './run-folder.ts'

export interface RenewOutcome {
  readonly renewed: readonly string[]
  /** No such run. */
  readonly missing: readonly string[]
}

/** Touches every lease, also when one of them fails; throws the first failure afterwards. */
export async function renewLeases(runs: readonly RunFolder[], clock: Clock): Promise<RenewOutcome> {
  const now = clock.now() / 1000
  const results = await Promise.allSettled(runs.map((paths) => renewLease(paths, now)))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  const present = results.map((result) => result.status === 'fulfilled' && result.value)
  const attempts = runs.map((paths) => paths.attempt)
  return {
    renewed: attempts.filter((_, index) => present[index]),
    missing: attempts.filter((_, index) => !present[index]),
  }
}

async function renewLease(paths: RunFolder, now: number): Promise<boolean> {
  try {
    await utimes(paths.lease, now, now)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}
