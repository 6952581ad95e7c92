import { resolve } from 'node:path'
import { readConfig } from '@nexus/core'
import { z } from 'zod'
import { limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { jsonText, type Line } from '../cli/line.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { table } from '../cli/table.ts'
import { AuditEntry, readTrail } from './audit.ts'

/** What `audit ls --json` prints. */
export const AuditList = envelope({
  changes: z.array(AuditEntry),
  unreadable: z.int().describe('lines of the trail that cannot be read'),
})
type AuditList = z.output<typeof AuditList>

const resultText = ({ result }: AuditEntry): string => {
  if (!result) return 'interrupted'
  const { status, ...rest } = result
  const more = Object.keys(rest).length === 0 ? '' : jsonText(rest)
  return [status, more].filter(Boolean).join(' ')
}

const whatText = ({ what }: AuditEntry): string =>
  what.length > 3 ? `${what.slice(0, 3).join(' ')} and ${what.length - 3} more` : what.join(' ')

const listText = ({ changes, unreadable }: AuditList): Line[] => {
  const rows = changes.map((entry) => [entry.at, entry.user, entry.command, whatText(entry), resultText(entry)])
  const columns = [
    { heading: 'at' },
    { heading: 'user' },
    { heading: 'command' },
    { heading: 'what', shrinks: true },
    { heading: 'result', shrinks: true },
  ]
  const lines = changes.length === 0 ? ['No changes.'] : table(columns, rows)
  if (unreadable > 0) lines.push(`${unreadable} lines of the trail cannot be read.`)
  return lines
}

interface Filter {
  limit: number
  command?: string
  user?: string
}

const list = async ({ limit, command, user, ...options }: Json & Filter): Promise<void> => {
  const wanted = (entry: AuditEntry): boolean =>
    (command === undefined || `${entry.command} `.startsWith(`${command} `)) &&
    (user === undefined || entry.user === user)
  const found = await readTrail(resolve(readConfig(process.env).dir), { limit, wanted })
  const { entries: changes, unreadable } = found
  const shown = { version: 1 as const, changes, unreadable }
  print(options, AuditList, shown, () => listText(shown))
}

/** `nexus-admin audit …`: who changed what, and what became of it. */
export const addAuditCommands = (cli: Cli): void => {
  cli.group('audit', 'What was changed with this command: by whom, when, and what became of it.')
  cli
    .command(
      'audit ls',
      {
        description: 'The latest changes, last one first.',
        examples: [
          'nexus-admin audit',
          "nexus-admin audit ls --command 'inbox requeue' --json",
          'nexus-admin audit ls --user ann --limit 5',
        ],
        prints: AuditList,
      },
      { isDefault: true },
    )
    .option('--command <words>', 'of this command, or of a group of them')
    .option('--user <name>', 'by this user')
    .addOption(limitOption(50))
    .action(list)
}
