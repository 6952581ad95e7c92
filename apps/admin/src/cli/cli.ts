import { Command } from 'commander'
import type { z } from 'zod'
import { type ExitName, exit, exitMeanings } from './exit.ts'
import { say } from './output.ts'

/** Records whose ids a shell can complete. */
export type CompletedIds = 'tasks' | 'workflows' | 'issues' | 'keys' | 'runs' | 'conflicts'

/** What every command says of itself. */
interface About {
  description: string
  /** Lines as a person types them. */
  examples: readonly [string, ...string[]]
  /** The codes it ends with besides 0, 2 and 78, and what they mean here; without a word, what they always mean. */
  exits?: { readonly [name in ExitName]?: string | true }
  /** What `--json` prints; null for a command that prints no records of its own. */
  prints: z.ZodType | null
  /** What its arguments name, for the shell to complete. */
  completes?: CompletedIds
}

interface Placing {
  /** What its group does where no command of it is named. */
  isDefault?: boolean
  /** For programs: no help lists it. */
  hidden?: boolean
}

/** The program while its commands are added, and what they say of themselves, by their path: `inbox requeue`. */
export interface Cli {
  readonly program: Command
  readonly abouts: ReadonlyMap<string, About>
  /** Makes a group of commands: `group('inbox', 'The task queue.')`. */
  group(path: string, description: string): Command
  /** Makes a command below a group that is there; arguments, options and the action are the caller's. */
  command(path: string, about: About, options?: Placing): Command
}

const exitText = ({ exits = {} }: About): string => {
  const meant = { ok: true, ...exits, usage: exits.usage ?? true, configuration: exits.configuration ?? true }
  const codes = (Object.keys(exit) as ExitName[]).filter((name) => meant[name] !== undefined)
  return codes
    .map((name) => `${exit[name]} ${typeof meant[name] === 'string' ? meant[name] : exitMeanings[name]}`)
    .join(', ')
}

const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`

export const createCli = (description: string): Cli => {
  const program = new Command('nexus-admin')
    .description(description)
    .exitOverride()
    .configureOutput({ writeErr: (text) => say(text.trimEnd()) })
    .showHelpAfterError('(--help shows what there is)')
  const abouts = new Map<string, About>()

  const childOf = (path: string, options?: Placing): Command => {
    const names = path.split(' ')
    const parent = names.slice(0, -1).reduce<Command>((command, name) => {
      const found = command.commands.find((child) => child.name() === name)
      if (!found) throw new Error(`no command ${name} to put ${path} below`)
      return found
    }, program)
    return parent.command(names.at(-1) ?? path, options)
  }

  return {
    program,
    abouts,
    group: (path, text) =>
      childOf(path)
        .description(text)
        .addHelpText('after', () => {
          const own = [...abouts].filter(([name]) => name.startsWith(`${path} `))
          return examplesText(own.map(([, { examples }]) => examples[0]))
        }),
    command(path, about, options) {
      abouts.set(path, about)
      const command = childOf(path, options).description(about.description)
      if (about.prints) command.option('--json', 'print JSON')
      return command.addHelpText('after', `${examplesText(about.examples)}\n\nExit codes: ${exitText(about)}.`)
    },
  }
}
