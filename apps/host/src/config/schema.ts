import { isIP } from 'node:net'
import { type Path, tiers } from '@nexus/engine'
import { z } from 'zod'
import { promptForms } from '../runner/command-line.ts'
import { presetNames } from '../runner/presets.ts'

const aYear = 31_536_000
const seconds = z
  .number('a number of seconds is needed, such as 600')
  .positive('must be more than 0 seconds')
  .max(aYear, `at most a year (${aYear} seconds) is possible`)

const text = (what: string) =>
  z
    .string({ error: ({ input }) => (input == null ? `${what} is needed` : `${what} is text: put it in quotes`) })
    .min(1, `${what} is needed`)

const variableNames = 'a list of names of environment variables is needed'
const argumentList = 'a list of arguments is needed, such as [--model, opus]'
const missingCommand =
  'a command is needed: a line for the shell, or a list such as [node, agents/dev.mjs]; or, instead of it, a preset'

const Agent = z
  .strictObject(
    {
      preset: z.enum(presetNames, `use ${presetNames.join(', ')}, or a command of your own`).optional(),
      args: z.array(z.string(argumentList), argumentList).default([]),
      command: z.union([text('a command'), z.array(z.string()).min(1, missingCommand)], missingCommand).optional(),
      prompt: z.enum(promptForms, 'use stdin (the prompt comes on standard input), argument, file or none').optional(),
      timeout_seconds: seconds.optional(),
      env: z.array(z.string(variableNames), variableNames).default([]),
    },
    'write { command: … } or { preset: … }',
  )
  .refine(({ preset, command }) => preset !== undefined || command !== undefined, {
    path: ['command'],
    message: missingCommand,
  })
  .refine(({ preset, command }) => preset === undefined || command === undefined, {
    path: ['command'],
    message: 'a preset has a command of its own. Remove one of the two.',
  })
  .refine(({ preset, args }) => preset !== undefined || args.length === 0, {
    path: ['args'],
    message: 'args belong to a preset. Write them into the command.',
  })
  .refine(({ preset, prompt }) => preset === undefined || prompt === undefined, {
    path: ['prompt'],
    message: 'a preset says how its prompt comes. Remove it, or write a command of your own.',
  })

const wholeFrom1 = 'a whole number from 1 to 1000 is needed'
const atATime = z.int(wholeFrom1).min(1, wholeFrom1).max(1000, wholeFrom1)

const Project = z.strictObject(
  {
    workspace: text('a workspace (the folder where its agents work)'),
    workflow: text('the name of a workflow, or of its file,').optional(),
    tiers: z
      .record(
        z.string(),
        z.enum(tiers, 'use full, shortened or fast-track'),
        'write { bug: full }: a tier for a task type',
      )
      .default({}),
    concurrency: atATime.optional(),
    issue_prefix: z.string('a prefix is text: put it in quotes').default(''),
  },
  'write { workspace: … }',
)

const Fuse = z.strictObject(
  { failures: atATime.default(5), cool_down_seconds: seconds.default(600) },
  'write { failures: 5, cool_down_seconds: 600 }',
)

const section = (what: string) => `${what} are needed`
const some = (record: object) => Object.keys(record).length > 0

const listenAddress = 'an IP address is needed: 127.0.0.1, or 0.0.0.0 for every address of this machine'
const hostNames = 'a list of host names is needed, such as [nexus-host]'

/** `nexus.yaml` as it is written. */
export const HostFile = z.strictObject(
  {
    projects: z
      .record(z.string(), Project, section('projects (key: { workspace: … })'))
      .refine(some, 'at least one project is needed'),
    agents: z
      .record(z.string(), Agent, section('agents (role: { command: … })'))
      .refine(some, 'at least one agent is needed'),
    workflows: z
      .record(
        z.string(),
        z.union([text('the name of a file'), z.looseObject({})], 'write { steps: […] }, or ./a-file.yaml'),
        section('workflows (name: { steps: […] })'),
      )
      .default({}),
    concurrency: atATime.default(4),
    on_unreachable: z
      .enum(['keep', 'stop'], 'use keep (agents go on while a store cannot be reached) or stop')
      .default('keep'),
    fuse: Fuse.prefault({}),
    runs: z
      .strictObject(
        {
          keep_days: z
            .number('a number of days is needed')
            .min(0, 'a number of days is needed')
            .max(36_500, 'at most 36500 days are possible')
            .default(30),
        },
        'write { keep_days: 30 }',
      )
      .prefault({}),
    api: z
      .strictObject(
        {
          port: z
            .int('a port from 0 (any) to 65535 is needed')
            .min(0, 'a port from 0 (any) to 65535 is needed')
            .max(65535, 'a port from 0 (any) to 65535 is needed')
            .default(0),
          listen: z
            .string(listenAddress)
            .refine((address) => isIP(address) > 0, listenAddress)
            .default('127.0.0.1'),
          hosts: z.array(z.string(hostNames), hostNames).default([]),
        },
        'write { port: … }',
      )
      .prefault({}),
  },
  'projects, agents and workflows are needed',
)
export type HostFile = z.output<typeof HostFile>

/** The members that there are at this place, for a word that is none of them. */
export const membersAt = (path: Path): readonly string[] => {
  const [section, , ...deeper] = path
  if (section === undefined) return Object.keys(HostFile.shape)
  if (deeper.length > 0) return []
  if (section === 'projects') return Object.keys(Project.shape)
  if (section === 'agents') return Object.keys(Agent.shape)
  return path.length === 1 && section === 'fuse' ? Object.keys(Fuse.shape) : []
}
