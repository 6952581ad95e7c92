import { type Cli, createCli } from './cli/cli.ts'

type Add = (cli: Cli) => void

/** By the first word of its commands, how each area adds them. Loading them all takes several times what most commands need. */
const areas: Readonly<Record<string, () => Promise<Add>>> = {
  status: async () => (await import('./see/status-command.ts')).addStatusCommand,
  config: async () => (await import('./see/config.ts')).addConfigCommand,
  doctor: async () => (await import('./see/doctor/command.ts')).addDoctorCommand,
  top: async () => (await import('./see/top-command.ts')).addTopCommand,
  studio: async () => (await import('./see/studio.ts')).addStudioCommand,
  inbox: async () => (await import('./act/inbox-commands.ts')).addInboxCommands,
  workflow: async () => (await import('./act/workflow-commands.ts')).addWorkflowCommands,
  completion: async () => (await import('./act/completion-commands.ts')).addCompletionCommands,
  task: async () => (await import('./act/task-commands.ts')).addTaskCommands,
  state: async () => (await import('./act/state-commands.ts')).addStateCommands,
  agent: async () => (await import('./act/agent-commands.ts')).addAgentCommands,
  journal: async () => (await import('./act/journal-commands.ts')).addJournalCommands,
  diff: async () => (await import('./move/diff-command.ts')).addDiffCommand,
  migrate: async () => (await import('./move/migrate-commands.ts')).addMigrateCommands,
  export: async () => (await import('./archive/export-command.ts')).addExportCommand,
  import: async () => (await import('./archive/import-command.ts')).addImportCommand,
  adopt: async () => (await import('./adopt/command.ts')).addAdoptCommand,
  audit: async () => (await import('./audit/commands.ts')).addAuditCommands,
  'completion-script': async () => (await import('./shell/commands.ts')).addShellCommands,
}

const shell = 'completion-script'

/** Where one area alone will do. The shell's own commands know all the others. */
const areaOf = ([word, ...more]: readonly string[]): readonly string[] | null => {
  // A word that is not ended may become another.
  const [first, ...rest] = word === 'complete' ? more.slice(more.indexOf('--') + 1) : [word]
  if (first === undefined || first === shell || !Object.hasOwn(areas, first)) return null
  if (word === 'complete') return rest.length > 0 ? [first, shell] : null
  return [first]
}

/** The program for a line that was typed: all of it, unless its first word names one area. */
export const createProgram = async (words: readonly string[] = []): Promise<Cli> => {
  const cli = createCli('See, repair and move the state that Nexus keeps.')
  for (const name of areaOf(words) ?? Object.keys(areas)) (await areas[name]?.())?.(cli)
  return cli
}
