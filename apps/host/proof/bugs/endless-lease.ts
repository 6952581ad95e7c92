import { touch } from '../../src/runner/file-watch.ts'
import { createEndRequests, watchRun as real } from '../../src/runner/run-watch.ts'

export { createEndRequests }

/** Renews the lease itself that its host is to renew. */
export const watchRun: typeof real = (paths, spec, ask) => {
  const timer = setInterval(() => touch(paths.lease), spec.leaseMs / 4)
  const unwatch = real(paths, spec, ask)
  return () => {
    clearInterval(timer)
    unwatch()
  }
}
