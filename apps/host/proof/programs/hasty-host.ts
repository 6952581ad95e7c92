// A host program as it is, with short leases. usage: hasty-host <nexus.yaml> <pace as JSON>
import { run } from '../../src/cli/run.ts'
import type { Pace } from '../../src/compose.ts'

const [config = 'nexus.yaml', pace = '{}'] = process.argv.slice(2)
process.exitCode = await run({ config }, JSON.parse(pace) as Pace)
