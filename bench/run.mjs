import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startVitest } from 'vitest/node'

const help = `Usage: pnpm bench [name...] [--json] [--docs] [--long]

Measures how fast the stores and the programs are, beside the raw limit or another library in the same run.
A name is a file of bench/ without ".bench.ts", or its beginning. An idle machine is needed.

  --json  print one JSON value instead of a table
  --docs  bring docs/performance.md and its plots up to date
  --long  measure the long forms too

Examples:
  pnpm bench postgres-save
  pnpm bench files --json > files.json
`

const options = {
  json: { type: 'boolean', default: false },
  docs: { type: 'boolean', default: false },
  long: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

const read = () => {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${help}`)
    process.exit(2)
  }
}

const { values, positionals } = read()
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}
if (values.long) process.env.NEXUS_BENCH = 'long'
const vitest = await startVitest(
  'test',
  positionals.map((name) => `bench/${name}`),
  {
    root: fileURLToPath(new URL('..', import.meta.url)),
    mode: 'bench',
    project: ['bench'],
    watch: false,
    maxWorkers: 1,
    fileParallelism: false,
    reporters: [['./bench/reporter.ts', { json: values.json, docs: values.docs }]],
  },
)
await vitest.close()
