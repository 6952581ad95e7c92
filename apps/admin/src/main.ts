import { runCli } from './cli/run.ts'
import { createProgram } from './program.ts'

await runCli(await createProgram(process.argv.slice(2)))
