import { Argument } from 'commander'
import type { Cli } from '../cli/cli.ts'
import { complete } from './complete.ts'
import { readIds } from './ids.ts'
import { type Shell, scripts } from './scripts.ts'

/** Completion of a line by the shell. */
export const addShellCommands = (cli: Cli): void => {
  cli
    .command('completion-script', {
      description: 'Prints what a shell needs to complete commands, options and ids.',
      examples: [
        'source <(nexus-admin completion-script bash)',
        'nexus-admin completion-script zsh > ~/.zfunc/_nexus-admin',
        'nexus-admin completion-script fish > ~/.config/fish/completions/nexus-admin.fish',
      ],
      prints: null,
    })
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(scripts)))
    .action((shell: Shell) => void process.stdout.write(scripts[shell]))
  cli
    .command(
      'complete',
      {
        description: 'What a shell asks while a line is typed: an answer a line.',
        examples: ["nexus-admin complete -- workflow show ''"],
        prints: null,
      },
      { hidden: true },
    )
    .argument('[words...]', 'the line up to the cursor, its last word perhaps empty')
    .action(async (words: string[]) => {
      // Stores that do not answer complete nothing; a line that is typed is no place to say so.
      const answers = await complete(cli, words, readIds).catch(() => [])
      if (answers.length > 0) process.stdout.write(`${answers.join('\n')}\n`)
    })
}
