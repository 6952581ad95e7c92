import type { Cli } from '../cli/cli.ts'
import { addConfigCommand } from './config.ts'
import { addDoctorCommand } from './doctor/command.ts'
import { addStatusCommand } from './status-command.ts'
import { addStudioCommand } from './studio.ts'
import { addTopCommand } from './top-command.ts'

/** Where everything is, and how it is. */
export const addSeeCommands = (cli: Cli): void => {
  addStatusCommand(cli)
  addConfigCommand(cli)
  addDoctorCommand(cli)
  addTopCommand(cli)
  addStudioCommand(cli)
}
