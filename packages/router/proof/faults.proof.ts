import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Backend, isStoreError, systemClock } from '@nexus/core'
import { type Cluster, startCluster } from '@nexus/testkit/postgres'
import { expect, test } from 'vitest'
import { openHost } from './host.ts'
import { type Audited, auditedDatabase, freshRoot, isLong, judge, longest, report } from './world.ts'

const writers = 4
const rounds = isLong ? 10 : 1

interface Op {
  marker: string
  key: string
  isAcked: boolean
  took: number
}

let operations = 0

const writeAs = {
  save: ({ hostState }: Backend, key: string, marker: string) => hostState.save(key, { said: marker }),
  patch: ({ hostState }: Backend, key: string, marker: string) => hostState.patch(key, { entries: { said: marker } }),
  complete: ({ completions }: Backend, issueNumber: string, marker: string) =>
    completions.save({
      project: 'shop',
      issueNumber,
      agentType: 'developer',
      status: 'complete',
      summary: 'done',
      payload: { said: marker },
      reportId: marker,
    }),
} as const

const kinds = ['save', 'patch', 'complete'] as const

/** Writes one after the other, each over the one before, until it is told to end. */
const keepWriting = async (host: Backend, writer: number, ended: () => boolean): Promise<Op[]> => {
  const ops: Op[] = []
  while (!ended()) {
    const marker = `op-w${writer}-${++operations}-`
    const start = systemClock.monotonic()
    const kind = kinds[ops.length % kinds.length] ?? 'save'
    const isAcked = await writeAs[kind](host, String(writer), marker).then(
      () => true,
      (error: unknown) => {
        if (isStoreError(error, 'unavailable')) return false
        throw error
      },
    )
    const key = kind === 'complete' ? `${writer}:developer:complete` : String(writer)
    ops.push({ marker, key, isAcked, took: systemClock.monotonic() - start })
    await delay(2)
  }
  return ops
}

/** A process and all that it started. */
const family = (pid: number): number[] => {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid
      } catch {
        return false
      }
    })
  return [pid, ...children.flatMap((name) => family(Number(name)))]
}

const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids)
    try {
      process.kill(pid, signal)
    } catch {
      // It ended meanwhile.
    }
}

interface Fault {
  name: string
  /** Resolves when the server is as it was before. */
  inflict(cluster: Cluster, database: Audited): Promise<unknown>
}

const downMs = 1500

const faults: readonly Fault[] = [
  {
    name: 'killed',
    async inflict(cluster) {
      await cluster.kill()
      await delay(downMs)
      await cluster.start()
    },
  },
  {
    name: 'stopped',
    async inflict(cluster) {
      await cluster.stop()
      await delay(downMs)
      await cluster.start()
    },
  },
  { name: 'restarted', inflict: (cluster) => cluster.restart() },
  {
    name: 'frozen',
    async inflict({ pid }) {
      const all = family(pid)
      signalAll(all, 'SIGSTOP')
      await delay(4000)
      signalAll(all, 'SIGCONT')
    },
  },
  {
    name: 'connections terminated',
    inflict: (_, { sql }) =>
      sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      ),
  },
  {
    name: 'one backend killed',
    async inflict(_, { sql }) {
      const { rows } = await sql.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'nexus' LIMIT 1`,
      )
      // The server ends every other backend then, and recovers.
      for (const { pid } of rows) process.kill(pid, 'SIGKILL')
    },
  },
]

const suffer = async (fault: Fault, cluster: Cluster) => {
  await using database = await auditedDatabase(cluster.dsn)
  await using root = await freshRoot()
  await using host = await openHost({ dsn: database.dsn, root: root.path })
  let isOver = false
  const work = Promise.all(Array.from({ length: writers }, (_, writer) => keepWriting(host, writer, () => isOver)))
  await delay(300)
  await fault.inflict(cluster, database)
  const start = systemClock.monotonic()
  const isServed = async (): Promise<boolean> =>
    (await host.hostState.load('0').catch(() => null))?.stale === undefined &&
    (await host.health('hostState')).status === 'ok'
  while (!(await isServed())) await delay(20)
  const back = systemClock.monotonic() - start
  await delay(300)
  isOver = true
  const ops = (await work).flat()
  while (!(await isServed())) await delay(20)
  const acked = ops.filter(({ isAcked }) => isAcked)
  return {
    acked: acked.length,
    refused: ops.length - acked.length,
    ...(await judge(database, acked)),
    conflicts: (await database.conflicts()).length,
    slowest: Math.round(Math.max(...ops.map(({ took }) => took))),
    back: Math.round(back),
  }
}

test('faults of the server: [C-ROUTE-9, C-ROUTE-12, C-ROUTE-14] nothing acknowledged is lost, doubled or reordered, and Postgres is in use again within 5 s', {
  timeout: longest,
}, async () => {
  await using cluster = await startCluster()
  for (const fault of faults)
    for (let round = 0; round < rounds; round++) {
      const figures = await suffer(fault, cluster)
      report(`faults of the server, ${fault.name}`, figures)
      const { lost, dup, order, refused, conflicts, slowest, back } = figures
      expect({ lost, dup, order, refused, conflicts }, fault.name).toEqual({
        lost: 0,
        dup: 0,
        order: 0,
        refused: 0,
        conflicts: 0,
      })
      expect(slowest, fault.name).toBeLessThanOrEqual(3000)
      expect(back, fault.name).toBeLessThanOrEqual(5000)
    }
})
