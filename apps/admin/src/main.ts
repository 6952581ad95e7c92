import { addActCommands } from './act/commands.ts'
import { createCli } from './cli/cli.ts'
import { runCli } from './cli/run.ts'
import { addSeeCommands } from './see/commands.ts'

const cli = createCli('See, repair and move the state that Nexus keeps.')
addSeeCommands(cli)
addActCommands(cli)
await runCli(cli)
