import { resolve } from 'node:path'
import { ConfigError, readConfig } from '@nexus/core'
import { type Overview, overviewOf, storageOf } from '../check/overview.ts'
import { type CheckView, checkText } from '../check/text.ts'
import { inspectHostConfig } from '../config/inspect.ts'
import { type ConfigProblem, shownPath } from '../config/source.ts'
import { exit } from './exit.ts'

export interface CheckCommand {
  config: string
  json?: boolean
}

interface Storage {
  storage: CheckView['storage']
  problems: ConfigProblem[]
}

/** Where the environment keeps things, or what is wrong with it. */
const readStorage = (): Storage => {
  try {
    const config = readConfig(process.env)
    return { storage: { root: resolve(config.dir), stores: storageOf(config) }, problems: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problem = {
      severity: 'error',
      file: 'environment:',
      line: 0,
      column: 0,
      member: '',
      message: error.message,
    } as const
    return { storage: null, problems: [problem] }
  }
}

/** Agents that could not be started from here: a host elsewhere may have their programs. */
const missingPrograms = ({ agents }: Overview, file: string): ConfigProblem[] =>
  agents
    .filter(({ found }) => found === null)
    .map(({ role, program }) => ({
      severity: 'warning',
      file: shownPath(file),
      line: 0,
      column: 0,
      member: `agents.${role}`,
      message: `the program ${program ?? 'of its command'} is not found. Install it, add it to PATH, or change the command.`,
    }))

/** `nexus-host check`: says what would run, and everything that is wrong. Starts nothing. Resolves with the exit code. */
export const check = ({ config: file, json = false }: CheckCommand): number => {
  const inspection = inspectHostConfig(file)
  const { storage, problems: ofEnvironment } = readStorage()
  const overview = inspection.config && overviewOf(inspection.config)
  const missing = overview ? missingPrograms(overview, inspection.file) : []
  const problems = [...ofEnvironment, ...inspection.problems, ...missing]
  const view = { file: inspection.file, overview, storage, problems }
  const isTerminal = process.stdout.isTTY === true
  const options = { color: isTerminal && !process.env['NO_COLOR'], width: isTerminal ? process.stdout.columns : null }
  const isWrong = problems.some(({ severity }) => severity === 'error')
  const text = json ? JSON.stringify({ version: 1, ok: !isWrong, ...view }, null, 2) : checkText(view, options)
  process.stdout.write(`${text}\n`)
  return isWrong ? exit.configuration : exit.ok
}
