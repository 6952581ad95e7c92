import { readFileSync } from 'node:fs'
import type { Cluster } from '@nexus/testkit/postgres'

/** A way for the database to go away, and to come back. */
export interface Outage {
  begin(cluster: Cluster): Promise<void>
  end(cluster: Cluster): Promise<void>
}

/** The server and its backends. */
const processesOf = ({ pid }: Cluster): number[] => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').map(Number))]
}

const signalAll = (cluster: Cluster, signal: NodeJS.Signals): void => {
  for (const pid of processesOf(cluster)) process.kill(pid, signal)
}

export const outages = {
  killed: { begin: (cluster) => cluster.kill(), end: (cluster) => cluster.start() },
  stopped: { begin: (cluster) => cluster.stop(), end: (cluster) => cluster.start() },
  /** It takes connections and says nothing. */
  frozen: {
    async begin(cluster) {
      signalAll(cluster, 'SIGSTOP')
    },
    async end(cluster) {
      signalAll(cluster, 'SIGCONT')
    },
  },
} as const satisfies Record<string, Outage>
