import { existsSync } from 'node:fs'
import { signatureOf, touch, watchPath } from './file-watch.ts'
import { rotateOutput } from './output-log.ts'
import type { RunFolder } from './run-folder.ts'
import type { ExitReason, RunSpec } from './run-records.ts'

interface EndRequest {
  readonly reason: ExitReason
  readonly message?: string
}

/** Whoever asks first decides the reason. */
export interface EndRequests {
  readonly first: Promise<EndRequest>
  ask(request: EndRequest): void
}

export function createEndRequests(): EndRequests {
  let ask: (request: EndRequest) => void = () => {}
  const first = new Promise<EndRequest>((resolve) => {
    ask = resolve
  })
  return { first, ask }
}

/**
 * The supervisor's watch over its run: asks for the end when nobody renews the lease, the time is up, or a person or an
 * observer says so; shows that the supervisor lives, and keeps the output from growing. Returns the end of the watch.
 */
export function watchRun(paths: RunFolder, spec: RunSpec, ask: EndRequests['ask']): () => void {
  const begun = performance.now()
  let looked = begun
  let shown = begun
  let lease = signatureOf(paths.lease)
  let unrenewedMs = 0

  function renewed(now: number): boolean {
    const signature = signatureOf(paths.lease)
    const changed = signature !== null && signature !== lease
    if (changed) lease = signature
    // Time in which this process did not run does not count: after a machine's pause its host gets the chance to renew.
    unrenewedMs = changed ? 0 : unrenewedMs + Math.min(now - looked, 4 * spec.pollMs)
    looked = now
    return unrenewedMs <= spec.leaseMs
  }

  function look(): void {
    const now = performance.now()
    const inLease = renewed(now)
    if (now - shown >= spec.leaseMs / 4) {
      shown = now
      touch(paths.started)
    }
    rotateOutput(paths, spec.outputBytes)
    if (existsSync(paths.stop)) ask({ reason: 'stopped' })
    else if (existsSync(paths.exit)) ask({ reason: 'supervisor-lost', message: 'another host gave this run up' })
    else if (!inLease) ask({ reason: 'lease-expired', message: `nobody renewed the lease for ${spec.leaseMs} ms` })
    else if (spec.timeoutMs !== null && now - begun >= spec.timeoutMs) {
      ask({ reason: 'timeout', message: `still running after ${spec.timeoutMs} ms` })
    }
  }

  // The lease, not the folder: every line of the agent's output would be an event there.
  const unwatch = watchPath({ path: paths.lease, pollMs: spec.pollMs, onChange: look })
  // A request from before the watch makes no event.
  look()
  return unwatch
}
