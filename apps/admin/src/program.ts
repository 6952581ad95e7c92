import { addActCommands } from './act/commands.ts'
import { addAdoptCommand } from './adopt/command.ts'
import { addExportCommand } from './archive/export-command.ts'
import { addImportCommand } from './archive/import-command.ts'
import { addAuditCommands } from './audit/commands.ts'
import { type Cli, createCli } from './cli/cli.ts'
import { addMoveCommands } from './move/commands.ts'
import { addSeeCommands } from './see/commands.ts'
import { addShellCommands } from './shell/commands.ts'

/** The whole program: each area adds its commands. */
export const createProgram = (): Cli => {
  const cli = createCli('See, repair and move the state that Nexus keeps.')
  addSeeCommands(cli)
  addActCommands(cli)
  addMoveCommands(cli)
  addExportCommand(cli)
  addImportCommand(cli)
  addAdoptCommand(cli)
  addAuditCommands(cli)
  addShellCommands(cli)
  return cli
}
