export { type AgentVariables, agentEnvironment } from './environment.ts'
export type { RunState } from './observe.ts'
export {
  currentProcess,
  formatIdentity,
  holderLiveness,
  liveness,
  type ProcessIdentity,
  parseIdentity,
} from './process-identity.ts'
export { isAttempt } from './run-folder.ts'
export type { RunExit } from './run-records.ts'
export { createRunner, type LaunchSpec, type Runner, type RunnerOptions } from './runner.ts'
