import { once } from 'node:events'
import { resolve } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { readConfig } from '@nexus/core'
import { plain } from '../live/lines.ts'
import { createBell } from '../loop/bell.ts'
import { errorCode } from '../runner/durable-file.ts'
import { watchPath } from '../runner/file-watch.ts'
import { findRuns, type RunSummary, readRun } from '../runner/find-runs.ts'
import { createOutputReader } from '../runner/output-reader.ts'
import type { RunExit } from '../runner/run-records.ts'
import { exit, UsageError } from './exit.ts'

export interface LogsCommand {
  project?: string
  follow?: boolean
  json?: boolean
}

/** What file events miss is seen after this. */
const pollMs = 500

/** A line without an end is not kept for ever. */
const mostLineLength = 1024 ** 2

const endOf = ({ reason, code, signal, message }: RunExit): string => {
  const how = message ?? (signal ? `by ${signal}` : `with exit code ${code}`)
  return `${reason}: ${how}`
}

const statusOf = ({ status, exit: end }: RunSummary): string => {
  if (end) return `ended ${end.endedAt}, ${endOf(end)}`
  return status === 'lost' ? 'its supervisor is gone; a host settles it at its next look' : status
}

const headOf = (run: RunSummary, older: readonly RunSummary[]): string => {
  const about = [
    `run ${run.attempt}`,
    `${run.project ?? '?'} issue ${run.issue ?? '?'}`,
    `step ${run.step ?? '?'} (${run.agent ?? '?'})`,
    statusOf(run),
  ]
  const earlier = older.length > 0 ? `\nearlier runs: ${older.map(({ attempt }) => attempt).join(' ')}` : ''
  return `${about.map(plain).join(' · ')}${earlier}\n`
}

const recordOf = ({ attempt, project, issue, step, agent, status, startedAt, exit: end, paths }: RunSummary) => ({
  attempt,
  project,
  issue,
  step,
  agent,
  status,
  started_at: startedAt,
  ...endRecord(end),
  output: paths.output,
})

const endRecord = (end: RunExit | null) => ({
  ended_at: end?.endedAt ?? null,
  reason: end?.reason ?? null,
  code: end?.code ?? null,
  signal: end?.signal ?? null,
  message: end?.message ?? null,
})

/** Where what is read goes: as it is for a person, as one object a line for a program. */
interface Printer {
  begin(run: RunSummary, older: readonly RunSummary[]): Promise<void>
  piece(bytes: Buffer): Promise<void>
  end(run: RunSummary, isFollowed: boolean): Promise<void>
}

const write = async (bytes: Buffer | string): Promise<void> => {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

const plainPrinter: Printer = {
  begin: async (run, older) => void process.stderr.write(headOf(run, older)),
  piece: write,
  async end(run, isFollowed) {
    if (isFollowed) process.stderr.write(`run ${run.attempt} · ${plain(statusOf(run))}\n`)
  },
}

const createJsonPrinter = (): Printer => {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const say = (record: object): Promise<void> => write(`${JSON.stringify(record)}\n`)
  const line = (text: string): Promise<void> => say({ type: 'output', text })
  return {
    async begin(run, older) {
      await say({ type: 'run', version: 1, ...recordOf(run), earlier: older.map(({ attempt }) => attempt) })
    },
    async piece(bytes) {
      const lines = (rest + decoder.write(bytes)).split('\n')
      rest = lines.pop() ?? ''
      for (const text of lines) await line(text)
      if (rest.length <= mostLineLength) return
      await line(rest)
      rest = ''
    },
    async end(run) {
      rest += decoder.end()
      if (rest !== '') await line(rest)
      await say({ type: 'end', attempt: run.attempt, status: run.status, ...endRecord(run.exit) })
    },
  }
}

const choose = async (root: string, target: string, project: string | undefined): Promise<RunSummary[]> => {
  const named = await readRun(root, target)
  if (named) return [named]
  const found = await findRuns(root, target, project)
  const projects = [...new Set(found.map((run) => run.project ?? '?'))].sort()
  if (projects.length > 1)
    throw new UsageError(
      `Issue ${target} has runs in ${projects.map(plain).join(', ')}. Say which: --project ${projects[0]}`,
    )
  if (found.length > 0) return found
  const where = project === undefined ? '' : ` of project ${project}`
  throw new Error(
    `There is no run of issue or attempt ${target}${where} below ${root}. NEXUS_DIR names another root; old runs are removed (runs.keep_days in nexus.yaml).`,
  )
}

const isOver = ({ status }: RunSummary): boolean => status === 'ended' || status === 'lost'

const print = async (root: string, first: RunSummary, follow: boolean, printer: Printer): Promise<void> => {
  const bell = createBell()
  const unwatch = follow ? watchPath({ path: first.paths.folder, pollMs, onChange: () => bell.ring() }) : () => {}
  const reader = createOutputReader(first.paths)
  try {
    for (let run = first; ; run = (await readRun(root, run.attempt)) ?? { ...run, status: 'lost' }) {
      const isLast = !follow || isOver(run)
      for await (const piece of reader.read(isLast)) await printer.piece(piece)
      if (isLast) return await printer.end(run, follow)
      await bell.wait(pollMs)
    }
  } finally {
    unwatch()
  }
}

/** `nexus-host logs`: prints what an agent said. Resolves with the exit code. */
export const logs = async (target: string, command: LogsCommand): Promise<number> => {
  const { project, follow = false, json = false } = command
  const root = resolve(readConfig(process.env).dir)
  const [newest, ...older] = await choose(root, target, project)
  if (!newest) return exit.failed
  // Whoever reads only the beginning (`| head`) has all they want.
  process.stdout.on('error', (error) => process.exit(errorCode(error) === 'EPIPE' ? exit.ok : exit.failed))
  const printer = json ? createJsonPrinter() : plainPrinter
  await printer.begin(newest, older)
  await print(root, newest, follow, printer)
  return exit.ok
}
