import { resolve } from 'node:path'
import { readSettings } from '@nexus/core'
import { z } from 'zod'
import type { Cli } from '../cli/cli.ts'
import type { Line } from '../cli/line.ts'
import { envelope, type Json, print } from '../cli/output.ts'
import { table } from '../cli/table.ts'

/** What `config --json` prints. */
export const Settings = envelope({
  root: z.string().describe('the root on disk, absolute'),
  settings: z.array(
    z.object({
      name: z.string().describe('a variable, or the path of a member of nexus.yaml'),
      value: z.string().nullable().describe('null: not set, and not needed; secrets are masked'),
      source: z.enum(['variable', 'file', 'default']),
      from: z.string().nullable().describe('the variable or file that says it; null for a default'),
    }),
  ),
})
export type Settings = z.output<typeof Settings>

/** The values that count now, as programs started here would have them. */
const settingsNow = async (env: NodeJS.ProcessEnv, hostFile: string): Promise<Settings> => {
  const variables = readSettings(env)
  const { hostSettings } = await import('@nexus/host/look')
  const dir = variables.find(({ name }) => name === 'NEXUS_DIR')?.value ?? ''
  return {
    version: 1,
    root: resolve(dir),
    settings: [
      ...variables.map(({ name, value, source, from }) => ({ name, value, source, from })),
      ...(hostSettings(hostFile) ?? []).map(({ name, value, isGiven }) =>
        isGiven
          ? { name, value, source: 'file' as const, from: hostFile }
          : { name, value, source: 'default' as const, from: null },
      ),
    ],
  }
}

const settingsText = ({ root, settings }: Settings): Line[] => {
  const columns = [{ heading: 'name' }, { heading: 'value', shrinks: true }, { heading: 'from' }]
  const rows = settings.map(({ name, value, from }) => [name, value ?? '(not set)', from ?? 'default'])
  return [...table(columns, rows), '', `root  ${root}`]
}

export const addConfigCommand = (cli: Cli): void => {
  cli
    .command('config', {
      description: 'Each value that counts, and where it came from; secrets are masked.',
      examples: [
        'nexus-admin config',
        'nexus-admin config --json',
        'nexus-admin config --config /etc/nexus/nexus.yaml',
      ],
      prints: Settings,
    })
    .option('--config <file>', 'the configuration of the host', 'nexus.yaml')
    .action(async ({ config, ...json }: Json & { config: string }) => {
      const settings = await settingsNow(process.env, resolve(config))
      print(json, Settings, settings, () => settingsText(settings))
    })
}
