import { readFileSync } from 'node:fs'
import { type Pair, startPair } from '@nexus/testkit/postgres/pair'
import { type Pooler, startPooler } from '@nexus/testkit/postgres/pgbouncer'
import { type Acknowledged, auditedDatabase, type Judged, judge } from './world.ts'

/** As docs/operations.md has them, but for where it listens and whom it lets in. */
const settings = Object.fromEntries(
  readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
    .replace(/.*^\[pgbouncer\]\n(.*?)^```.*/ms, '$1')
    .split('\n')
    .filter((line) => /^\w/.test(line) && !/^(listen|auth|admin)_/.test(line))
    .map((line) => line.split(' = ') as [string, string]),
)

/** A synchronous pair with a pooler in front, and one database. */
export interface Scene extends AsyncDisposable {
  pair: Pair
  /** To the database, by way of the pooler and without it. */
  dsn: { pooled: string; primary: string }
  /** The standby becomes the primary, and the pooler is told. */
  promote(): Promise<void>
  /** What became of it on the server that was the standby. */
  found(acknowledged: readonly Acknowledged[]): Promise<Judged>
  /** One statement on that server. */
  ask(statement: string): Promise<Record<string, unknown>[]>
}

const openIn = async (pair: Pair, pooler: Pooler): Promise<Omit<Scene, keyof AsyncDisposable>> => {
  const { dsn: primary, sql } = await auditedDatabase(pair.primary.dsn)
  await sql.end()
  const standby = new URL(pair.standby.dsn)
  standby.pathname = new URL(primary).pathname
  const ask = (statement: string) => pair.ask({ dsn: standby.href }, statement)
  return {
    pair,
    dsn: { primary, pooled: pooler.through(primary) },
    ask,
    async promote() {
      await ask('SELECT pg_promote()')
      await pooler.pointTo(standby.href)
    },
    found: (acknowledged) =>
      judge(
        {
          written: async () =>
            (await ask('SELECT key, data FROM audit ORDER BY number')).map(({ key, data }) => ({
              key: String(key),
              data: String(data),
            })),
          conflicts: async () =>
            (await ask(`SELECT coalesce(ours, '') AS ours FROM nexus_conflicts`)).map(({ ours }) => String(ours)),
        },
        acknowledged,
      ),
  }
}

export const openScene = async (): Promise<Scene> => {
  const pair = await startPair()
  const pooler = await startPooler({ dsn: pair.primary.dsn, settings })
  const close = async (): Promise<void> => {
    await pooler[Symbol.asyncDispose]()
    await pair[Symbol.asyncDispose]()
  }
  try {
    return { ...(await openIn(pair, pooler)), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
