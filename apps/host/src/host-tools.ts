import type { Clock, Ids, Logger, Stores } from '@nexus/core'
import type { HostConfig } from './config/host-config.ts'
import type { Explain } from './intake/explain.ts'
import type { RunMailboxes } from './intake/run-mailboxes.ts'
import type { Drain } from './loop/drain.ts'
import type { Quiet } from './loop/quiet.ts'
import type { Timing } from './loop/timing.ts'
import type { AgentVariables, Runner } from './runner/index.ts'
import type { Attempts } from './task/attempts.ts'
import type { Fuse } from './task/fuse.ts'
import type { HostRecords } from './task/host-records.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

/** What the parts of the host share. */
export interface HostTools {
  config: HostConfig
  stores: Stores
  runner: Runner
  records: HostRecords
  fuse: Fuse
  drain: Drain
  quiet: Quiet
  clock: Clock
  ids: Ids
  logger: Logger
  telemetry: Telemetry
  /** Names this process in claims. */
  worker: string
  timing: Timing
  /** Names the runs of this root. */
  attempts: Attempts
  /** Whether the router has found a backend down, and told so. */
  inOutage(): Promise<boolean>
  /** Brings agents' summary files into the completion store; says how many cannot be read yet. */
  collect(): Promise<{ waiting: number }>
  /** Why the summary file of the issue at this path cannot be read; null for one that can, and for none. */
  whyUnreadable(path: string, issueNumber: string): Promise<string | null>
  /** Tells of reports that do not count. */
  explain: Explain
  /** Whether that this record cannot become the project's is heard for the first time. */
  isTakenNews(name: string): boolean
  /** The whole environment of an agent. */
  environment(variables: AgentVariables, passThrough: readonly string[]): Record<string, string>
  /** Where and with which token an attempt may POST its report. */
  reporting(attempt: string): { url: string; token: string }
  /** The absolute place of the summary file of an attempt. */
  summaryFile: RunMailboxes['file']
}
