import type { Guard, SaveResult } from '@nexus/core'
import type { Command } from 'commander'
import { z } from 'zod'
import { usageError } from '../cli/exit.ts'

export interface GuardOptions {
  ifRev?: string
  ifAbsent?: boolean
}

/** What a guarded write prints. */
export const Written = {
  status: z.enum(['saved', 'conflict']).describe('conflict: it is no longer what was seen, and nothing was written'),
  rev: z.string().nullable().describe('of what is there now; null: nothing'),
}

export const withGuard = (command: Command): Command =>
  command
    .option('--if-rev <rev>', 'only where it is still what had this rev')
    .option('--if-absent', 'only where there is none')

export const guardOf = ({ ifRev, ifAbsent = false }: GuardOptions): Guard => {
  if (ifRev !== undefined && ifAbsent) throw usageError('--if-rev and --if-absent exclude each other.')
  if (ifAbsent) return { ifRev: null }
  return ifRev === undefined ? {} : { ifRev }
}

export const writtenOf = (result: SaveResult): z.output<z.ZodObject<typeof Written>> =>
  result.status === 'saved' ? { status: 'saved', rev: result.rev } : { status: 'conflict', rev: result.current }

export const writtenText = (what: string, { status, rev }: z.output<z.ZodObject<typeof Written>>): string => {
  if (status === 'saved') return `${what}: saved.`
  const now = rev === null ? 'it is not there' : `it has the rev ${rev} now`
  return `${what} stays as it is: ${now}. Look at it again before you change it.`
}
