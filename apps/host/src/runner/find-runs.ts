import { readdir, stat } from 'node:fs/promises'
import { errorCode } from './durable-file.ts'
import { liveness } from './process-identity.ts'
import { isAttempt, type RunFolder, runFolder, runsFolder } from './run-folder.ts'
import { type RunExit, type RunSpec, readExit, readSpec, readStarted } from './run-records.ts'

/** One run as its folder tells of it. Nothing is settled by looking. */
export interface RunSummary {
  readonly attempt: string
  readonly paths: RunFolder
  readonly project: string | null
  readonly issue: string | null
  readonly workflow: string | null
  readonly step: string | null
  readonly agent: string | null
  /** When it was written down, before its start. */
  readonly preparedAt: Date
  readonly startedAt: string | null
  /** `lost`: its supervisor is gone without a word; a host settles it at its next look. */
  readonly status: 'prepared' | 'running' | 'lost' | 'ended'
  readonly exit: RunExit | null
}

/** The attempts that have a run folder. */
export async function listRuns(root: string): Promise<string[]> {
  const names = await readdir(runsFolder(root)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  })
  return names.filter(isAttempt)
}

interface Written {
  readonly spec: RunSpec
  readonly preparedAt: Date
}

/** Null where there is no run, or none that can be read. */
async function readWritten(paths: RunFolder): Promise<Written | null> {
  const spec = await readSpec(paths.spec).catch(() => null)
  return spec && { spec, preparedAt: (await stat(paths.spec)).mtime }
}

async function summarize(paths: RunFolder, { spec, preparedAt }: Written): Promise<RunSummary> {
  const [started, exit] = [await readStarted(paths.started), await readExit(paths.exit)]
  const present = started && liveness(started) === 'dead' ? 'lost' : started ? 'running' : 'prepared'
  return {
    attempt: paths.attempt,
    paths,
    project: spec.env['NEXUS_PROJECT'] ?? null,
    issue: spec.env['NEXUS_ISSUE'] ?? null,
    workflow: spec.env['NEXUS_WORKFLOW'] ?? null,
    step: spec.env['NEXUS_STEP'] ?? null,
    agent: spec.env['NEXUS_AGENT'] ?? null,
    preparedAt,
    startedAt: started?.startedAt ?? null,
    status: exit ? 'ended' : present,
    exit,
  }
}

/** Null where there is no such run. */
export async function readRun(root: string, attempt: string): Promise<RunSummary | null> {
  if (!isAttempt(attempt)) return null
  const paths = runFolder(root, attempt)
  const written = await readWritten(paths)
  return written && summarize(paths, written)
}

/** The runs of an issue, of every project unless one is named, newest first. */
export async function findRuns(root: string, issue: string, project?: string): Promise<RunSummary[]> {
  const found: RunSummary[] = []
  for (const attempt of await listRuns(root)) {
    const paths = runFolder(root, attempt)
    const written = await readWritten(paths)
    if (written?.spec.env['NEXUS_ISSUE'] !== issue) continue
    if (project !== undefined && written.spec.env['NEXUS_PROJECT'] !== project) continue
    found.push(await summarize(paths, written))
  }
  return found.sort((a, b) => b.preparedAt.getTime() - a.preparedAt.getTime())
}
