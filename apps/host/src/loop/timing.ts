/** Every interval of the host, in milliseconds. */
export interface Timing {
  /** How long a claim holds without a heartbeat. */
  leaseMs: number
  heartbeatMs: number
  /** Between renewals of the running agents' leases. */
  renewMs: number
  sweepMs: number
  /** What hints miss is found after this, */
  pollMs: number
  /** and after this where no task is held: also a task whose time has come. */
  idlePollMs: number
  /** Between tries of a store that cannot be reached. */
  unavailableMs: number
  /** A task whose issue is busy is looked at again after this. */
  busyMs: number
  /** One whose workflow is paused after a tenth of the time since, within these. */
  pausedMinMs: number
  pausedMs: number
  /** How long an agent may go on after its report before the next one starts. */
  lingerMs: number
  /** How long a summary file may stay unreadable after its agent's end. */
  summaryMs: number
  /** `--once`: a retry of a task of this run is waited for when it is due within this. */
  patienceMs: number
}

export const defaultTiming: Timing = {
  leaseMs: 300_000,
  heartbeatMs: 30_000,
  renewMs: 10_000,
  sweepMs: 10_000,
  pollMs: 1_000,
  idlePollMs: 3_000,
  unavailableMs: 1_000,
  busyMs: 5_000,
  pausedMinMs: 2_000,
  pausedMs: 30_000,
  lingerMs: 10_000,
  summaryMs: 3_000,
  patienceMs: 60_000,
}
