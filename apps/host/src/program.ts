import { Command, InvalidArgumentError } from 'commander'
import { add } from './cli/add.ts'
import { type CheckCommand, check } from './cli/check.ts'
import { drain } from './cli/drain.ts'
import { type InitCommand, init } from './cli/init.ts'
import { type LogsCommand, logs } from './cli/logs.ts'
import { type RunCommand, run } from './cli/run.ts'
import { type DemoCommand, demo } from './demo/demo.ts'

const codes =
  'Exit codes: 0 ok, 1 failed, 2 usage, 3 a task failed or is blocked (with --once), 69 a store cannot be reached, 78 configuration.'

const countIn = (text: string): number => {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('A whole number from 1 to 9999 is meant.')
  return Number(text)
}

const addRun = (program: Command): void => {
  program
    .command('run', { isDefault: true })
    .description('Work on the tasks of the projects in nexus.yaml until told to stop.')
    .option('--config <file>', 'what to work on and with which agents', 'nexus.yaml')
    .option('--once', 'return when nothing is due and nothing is held')
    .option('--no-live', 'on a terminal: the log alone, without a line for each task below it')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host
  nexus-host run --once --config ./team/nexus.yaml
  NEXUS_STORAGE_BACKEND=postgres NEXUS_STORAGE_DSN=postgresql://… nexus-host

Where things are kept comes from the environment (NEXUS_STORAGE_BACKEND, NEXUS_DIR, …; see .env.example), and how much
is logged and how (NEXUS_LOG_LEVEL=debug|info|warn|error|silent, NEXUS_LOG_FORMAT=pretty|json, NO_COLOR).
For supervisors and scrapers: /healthz, /readyz and /metrics under the address that it logs as api.

Ctrl-C stops the host and not its agents: the next one takes them over. ${codes}`,
    )
    .allowExcessArguments()
    .action(async (options: RunCommand, command: Command) => {
      if (command.args.length > 0) command.error(`error: unknown command '${command.args[0]}'`)
      process.exitCode = await run(options)
    })
}

const addInit = (program: Command): void => {
  program
    .command('init')
    .description('Write a first nexus.yaml, with comments that teach it, and make the folder its agents work in.')
    .option('--dir <folder>', 'where to', '.')
    .option('--agent <command>', 'what its agents run: a line for the shell, the prompt comes on stdin')
    .option('--force', 'put a nexus.yaml that is there aside, as nexus.yaml.old')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host init
  nexus-host init --dir ./team
  nexus-host init --agent 'my-agent --yes'

${codes}`,
    )
    .action(async (options: InitCommand) => {
      process.exitCode = await init(options)
    })
}

const addCheck = (program: Command): void => {
  program
    .command('check')
    .description('Say what would run, where, with which agents, and everything that is wrong. Starts nothing.')
    .option('--config <file>', 'what to look at', 'nexus.yaml')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host check
  nexus-host check --config ./team/nexus.yaml --json

Exit codes: 0 nothing is wrong (there may be warnings), 2 usage, 78 an error in nexus.yaml, a workflow or the environment.`,
    )
    .action((options: CheckCommand) => {
      process.exitCode = check(options)
    })
}

const addAdd = (program: Command): void => {
  program
    .command('add')
    .description('Put a task from standard input into the inbox, wherever that is kept.')
    .argument('<project>', 'a project of nexus.yaml')
    .argument('[filename]', 'name of the task', 'task.md')
    .addHelpText(
      'after',
      `
Examples:
  echo 'The cart forgets its content.' | nexus-host add shop cart.md

${codes}`,
    )
    .action(async (project: string, filename: string) => {
      process.exitCode = await add(project, filename)
    })
}

const addLogs = (program: Command): void => {
  program
    .command('logs')
    .description('Print what the agent of a run said: of the newest run of an issue, or of one attempt.')
    .argument('<issue|attempt>', 'an issue number, or an attempt as logs and statuses name it')
    .option('--project <key>', 'of this project, where several have such an issue')
    .option('-f, --follow', 'go on until the run ends')
    .option('--json', 'one object a line: the run, its output line by line, its end')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host logs 12
  nexus-host logs 12 --project shop --follow
  nexus-host logs at-0mh1c5k8a2f --json

The runs lie below NEXUS_DIR. ${codes}`,
    )
    .action(async (target: string, options: LogsCommand) => {
      process.exitCode = await logs(target, options)
    })
}

const addDrain = (program: Command): void => {
  program
    .command('drain')
    .description('Have all hosts on these stores finish the agents that run, take nothing new, and end.')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host drain
  NEXUS_STORAGE_BACKEND=postgres NEXUS_STORAGE_DSN=postgresql://… nexus-host drain --json

Hosts that are started afterwards work as usual. ${codes}`,
    )
    .action(async (options: { json?: boolean }) => {
      process.exitCode = await drain(options)
    })
}

const addDemo = (program: Command): void => {
  program
    .command('demo')
    .description('Take an example task through three real agent processes, then keep watching for yours.')
    .option('--once', 'return when the example is done')
    .option('--embedded-postgres', 'keep everything in a PostgreSQL that this command starts')
    .option('--tasks <count>', 'so many example tasks', countIn)
    .option('--agent <command>', 'your own agent for every step: a line for the shell, the prompt comes on stdin')
    .addHelpText(
      'after',
      `
Examples:
  nexus-host demo
  nexus-host demo --once
  nexus-host demo --embedded-postgres
  nexus-host demo --embedded-postgres --tasks 20
  nexus-host demo --agent 'claude -p --permission-mode acceptEdits'

${codes}`,
    )
    .action(async (options: DemoCommand) => {
      process.exitCode = await demo(options)
    })
}

/** The whole program, before it is told what to do. */
export const createProgram = (): Command => {
  const program = new Command('nexus-host')
    .description('Takes tasks from the inbox through chains of agents.')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
  addRun(program)
  addInit(program)
  addCheck(program)
  addAdd(program)
  addLogs(program)
  addDrain(program)
  addDemo(program)
  return program
}
