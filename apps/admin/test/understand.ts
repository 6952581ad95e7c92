import type { Command } from 'commander'

const disarm = (command: Command): void => {
  for (const child of command.commands) disarm(child)
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} })
  if (command.commands.length === 0) command.action(() => {})
}

/** What a program makes of words that are typed, without doing it. Throws where it does not understand them. */
export const understand = async (program: Command, args: readonly string[]): Promise<void> => {
  disarm(program)
  await program.parseAsync(args, { from: 'user' })
}
