import type { Cli } from '../../cli/cli.ts'
import { exit } from '../../cli/exit.ts'
import { type Json, print } from '../../cli/output.ts'
import { Diagnosis } from './diagnosis.ts'
import { diagnosisText } from './text.ts'

interface DoctorOptions extends Json {
  fix?: boolean
  only?: string
  deep?: boolean
  config?: string
}

const exitOf = ({ status, checks: rows }: Diagnosis): number => {
  if (rows.some(({ name, status }) => name === 'configuration' && status === 'fail')) return exit.configuration
  return { ok: exit.ok, warn: exit.degraded, fail: exit.failed }[status]
}

const doctor = async ({ fix = false, deep = false, config, only, ...json }: DoctorOptions): Promise<void> => {
  // What the host reads is loaded for this command alone.
  const { examine } = await import('./doctor.ts')
  const diagnosis = await examine({ env: process.env, hostFile: config, deep, fix, only })
  print(json, Diagnosis, diagnosis, () => diagnosisText(diagnosis))
  process.exitCode = exitOf(diagnosis)
}

export const addDoctorCommand = (cli: Cli): void => {
  cli
    .command('doctor', {
      description: 'Looks for what is wrong with the configuration, root, database and work, and says how to mend it.',
      examples: ['nexus-admin doctor', 'nexus-admin doctor --fix', 'nexus-admin doctor --only secrets --json'],
      exits: { failed: 'a check failed', degraded: 'nothing failed, but something is to be looked at' },
      prints: Diagnosis,
    })
    .option('--fix', 'mend what can be mended without touching what anybody wrote: temp files, file modes')
    .option('--only <name>', 'make this check alone')
    .option('--deep', 'read every record, however many there are')
    .option('--config <file>', 'the configuration of the host (default: nexus.yaml, where there is one)')
    .action(doctor)
}
