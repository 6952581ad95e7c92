import { resolve } from 'node:path'
import { readConfig } from '@nexus/core'
import { audited } from '../../audit/audit.ts'
import { usageError } from '../../cli/exit.ts'
import { configurationChecks } from './configuration.ts'
import { databaseChecks } from './database.ts'
import type { Diagnosis } from './diagnosis.ts'
import { type Check, type Finding, fail } from './finding.ts'
import { recordChecks } from './records.ts'
import { rootChecks } from './root.ts'
import { createSources, type SourceOptions } from './sources.ts'
import { workChecks } from './work.ts'

/** Every check, in the order in which they are told. */
const checks: readonly Check[] = [
  ...configurationChecks,
  ...rootChecks,
  ...databaseChecks,
  ...recordChecks,
  ...workChecks,
]

export interface Examination extends SourceOptions {
  /** The name of the one check to make; all where it is undefined. */
  only?: string | undefined
  fix: boolean
}

type Found = Finding & { name: string }

/** A check that cannot be made is a fault of its own, and keeps no other from being made. */
const make = async (check: Check, sources: ReturnType<typeof createSources>): Promise<Found[]> => {
  const { name } = check
  try {
    const finding = await check.look(sources)
    return finding ? [{ name, ...finding }] : []
  } catch (error) {
    const message = `This could not be looked at: ${error instanceof Error ? error.message : String(error)}`
    return [{ name, ...fail({ message, fix: 'Mend what the message names, then look again.' }) }]
  }
}

const wantedChecks = ({ only }: Examination): readonly Check[] => {
  if (only === undefined) return checks
  const wanted = checks.filter(({ name }) => name === only)
  if (wanted.length > 0) return wanted
  throw usageError(`There is no check ${only}. The checks are ${checks.map(({ name }) => name).join(', ')}.`)
}

const look = async (options: Examination): Promise<Found[]> => {
  const sources = createSources(options)
  const wanted = wantedChecks(options)
  return (await Promise.all(wanted.map((check) => make(check, sources)))).flat()
}

const worst = (findings: readonly Finding[]): Finding['status'] =>
  (['fail', 'warn'] as const).find((status) => findings.some((finding) => finding.status === status)) ?? 'ok'

/** Mends what is safe to mend, one after the other, each in the audit trail. Resolves to the checks that it was tried for. */
const mendAll = async (findings: readonly Found[], root: string): Promise<string[]> => {
  const tried: string[] = []
  for (const { name, detail, mend } of findings)
    if (mend) {
      tried.push(name)
      const change = { command: 'doctor', arguments: { fix: true, check: name }, what: detail }
      await audited(root, change, mend, () => ({ status: 'done' }))
    }
  return tried
}

/** Looks at everything, mends what may be mended where that is wanted, and then looks again. */
export const examine = async (options: Examination): Promise<Diagnosis> => {
  const before = await look(options)
  const tried =
    options.fix && before.some(({ mend }) => mend) ? await mendAll(before, resolve(readConfig(options.env).dir)) : []
  const after = tried.length > 0 ? await look(options) : before
  return {
    version: 1,
    status: worst(after),
    checks: after.map(({ name, status, message, detail, fix, mend }) => ({
      name,
      status,
      message,
      detail: [...detail],
      fix,
      safe: mend !== undefined,
    })),
    mended: tried.filter((name) => after.some((found) => found.name === name && found.status === 'ok')),
  }
}
