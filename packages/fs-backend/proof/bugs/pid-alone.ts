import { existsSync } from 'node:fs'
import { type ProcessLife, parseIdentity } from '../../../../apps/host/src/runner/process-identity.ts'

export * from '../../../../apps/host/src/runner/process-identity.ts'

/** Looks for the process id, whatever host and process it was. */
export const holderLiveness = (claimedBy: string): ProcessLife =>
  existsSync(`/proc/${parseIdentity(claimedBy)?.pid}`) ? 'alive' : 'dead'
