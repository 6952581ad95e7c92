export type { EndListener } from './end-watch.ts'
export { type AgentVariables, agentEnvironment } from './environment.ts'
export type { RenewOutcome } from './lease.ts'
export { RUN_VARIABLE, type RunState } from './observe.ts'
export {
  currentProcess,
  formatIdentity,
  holderLiveness,
  liveness,
  type ProcessIdentity,
  type ProcessLife,
  parseIdentity,
} from './process-identity.ts'
export { isAttempt, type RunFolder, runFolder, runsFolder } from './run-folder.ts'
export type { ExitReason, RunExit } from './run-records.ts'
export { createRunner, type LaunchSpec, type Runner, type RunnerOptions } from './runner.ts'
