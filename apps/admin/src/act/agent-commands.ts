import { resolve } from 'node:path'
import { readConfig } from '@nexus/core'
import { type LogsCommand, logs, UsageError } from '@nexus/host/runs'
import { z } from 'zod'
import { limitOption } from '../cli/arguments.ts'
import type { Cli } from '../cli/cli.ts'
import { usageError } from '../cli/exit.ts'
import { type Json, print } from '../cli/output.ts'
import { killAgents } from './agent-kill.ts'
import { type AgentFilter, AgentList, agentsText, readAgents } from './agents.ts'
import { BulkResult } from './bulk.ts'

const End = {
  ended_at: z.string().nullable(),
  reason: z.string().nullable(),
  code: z.int().nullable(),
  signal: z.string().nullable(),
  message: z.string().nullable(),
}

/** What `agent logs --json` prints: one object a line, first the run, then what it said line by line, and its end. */
export const AgentLogLine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run'),
    version: z.literal(1),
    attempt: z.string(),
    project: z.string().nullable(),
    issue: z.string().nullable(),
    step: z.string().nullable(),
    agent: z.string().nullable(),
    status: z.string(),
    started_at: z.string().nullable(),
    ...End,
    output: z.string().describe('the file'),
    earlier: z.array(z.string()).describe('attempts'),
  }),
  z.object({ type: z.literal('output'), text: z.string() }),
  z.object({ type: z.literal('end'), attempt: z.string(), status: z.string(), ...End }),
])

const list = async (options: Json & AgentFilter): Promise<void> => {
  const found = await readAgents(resolve(readConfig(process.env).dir), options)
  print(options, AgentList, found, () => agentsText(found))
}

const printLogs = async (target: string, options: LogsCommand): Promise<void> => {
  try {
    process.exitCode = await logs(target, options)
  } catch (error) {
    throw error instanceof UsageError ? usageError(error.message) : error
  }
}

/** `nexus-admin agent …`: the agents that hosts of this root run on this machine. */
export const addAgentCommands = (cli: Cli): void => {
  cli.group('agent', 'Agents of this root: which run, what they say, and their end. Their runs lie below NEXUS_DIR.')
  cli
    .command(
      'agent ls',
      {
        description: 'The runs that are not over, latest first, or all that are kept.',
        examples: ['nexus-admin agent', 'nexus-admin agent ls --all --project shop --json'],
        prints: AgentList,
      },
      { isDefault: true },
    )
    .option('--all', 'those that are over too')
    .option('--project <key>', 'of this project')
    .addOption(limitOption(50))
    .action(list)
  cli
    .command('agent logs', {
      description: 'Prints what the agent of a run said: of the newest run of an issue, or of one attempt.',
      examples: [
        'nexus-admin agent logs 12',
        'nexus-admin agent logs 12 --project shop -f',
        'nexus-admin agent logs at-0mh1c5k8a2f --json',
      ],
      exits: { failed: 'no such run' },
      prints: AgentLogLine,
      completes: 'runs',
    })
    .argument('<issue|attempt>', 'an issue number, or an attempt as the list shows it')
    .option('--project <key>', 'of this project, where several have such an issue')
    .option('-f, --follow', 'go on until the run ends')
    .action(printLogs)
  cli
    .command('agent kill', {
      description: 'Ends agents: their workflows are cancelled, and the hosts that hold them end them.',
      examples: ['nexus-admin agent kill at-0mh1c5k8a2f', 'nexus-admin agent kill at-0mh1c5k8a2f --force'],
      exits: { failed: 'no such run, or it stays as it is', unreachable: true },
      prints: BulkResult,
      completes: 'runs',
    })
    .argument('<attempts...>', 'as the list shows them')
    .option('--force', 'end the processes on this machine and leave the workflow, whose host may start the step again')
    .action(killAgents)
}
