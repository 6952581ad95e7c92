export { UsageError } from './cli/exit.ts'
export { type LogsCommand, logs } from './cli/logs.ts'
export { listRuns, type RunSummary, readRun } from './runner/find-runs.ts'
export { type Killed, killRun } from './runner/kill-run.ts'
