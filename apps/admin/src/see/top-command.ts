import type { Cli } from '../cli/cli.ts'
import { type Json, print } from '../cli/output.ts'
import { withStores } from '../cli/with-stores.ts'
import { readTop, Top, topText } from './top.ts'
import { watch } from './watch.ts'

const everySeconds = 2

const top = async ({ once = false, json = false }: Json & { once?: boolean }): Promise<void> => {
  const { durationText, launchedAgentsIn, stateKeys } = await import('@nexus/host/look')
  const source = { agentsIn: launchedAgentsIn, key: stateKeys.launchedAgents }
  await withStores(async ({ stores }) => {
    const look = async () => {
      const value = await readTop(stores, source)
      return { value, lines: topText(value, { now: Date.now(), duration: durationText }) }
    }
    // Programs, and files, want one look; a screen is for a person.
    if (!once && !json && process.stdout.isTTY) return watch(look, everySeconds, {})
    const { value, lines } = await look()
    print({ json }, Top, value, () => lines)
  })
}

export const addTopCommand = (cli: Cli): void => {
  cli
    .command('top', {
      description:
        'The queue by project, the agents that run with their steps and ages, and the hosts that hold tasks.',
      examples: ['nexus-admin top', 'nexus-admin top --once', 'nexus-admin top --json'],
      exits: { unreachable: true },
      prints: Top,
    })
    .option('--once', 'look once; on no terminal that is so anyway')
    .action(top)
}
