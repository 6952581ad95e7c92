import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPgBackend } from '@nexus/pg-backend'
import { freshDatabase } from '@nexus/testkit/postgres'
import pg from 'pg'
import { context } from './host.ts'

/** Whether the proof is to be run at every point. */
export const isLong = process.env['NEXUS_PROOF'] === 'long'
export const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? 1)
export const longest = 3_600_000

/** The one line that a proof has to say. */
export const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

/**
 * Whatever happens to a value of the host state or a payload is written down by the database itself: an effect that came
 * twice shows, even where it left the same value.
 */
const audit = `
  CREATE TABLE audit (number bigserial PRIMARY KEY, key text NOT NULL, data text NOT NULL);
  CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO audit (key, data) VALUES (coalesce(to_jsonb(NEW) ->> 'dedup_key', to_jsonb(NEW) ->> 'key'), NEW.data);
    RETURN NEW;
  END $$;
  CREATE TRIGGER audit AFTER INSERT OR UPDATE ON nexus_host_state FOR EACH ROW EXECUTE FUNCTION audit();
  CREATE TRIGGER audit AFTER INSERT OR UPDATE ON nexus_completions FOR EACH ROW EXECUTE FUNCTION audit();`

/** One effect: what stood under a key after it. */
export interface Effect {
  key: string
  data: string
}

export interface Audited extends AsyncDisposable {
  dsn: string
  sql: pg.Pool
  /** What the database wrote, in its order. */
  written(): Promise<Effect[]>
  /** What a replay kept back, as text. */
  conflicts(): Promise<string[]>
}

/** A database of the server that writes down every effect. */
export const auditedDatabase = async (server: string): Promise<Audited> => {
  const database = await freshDatabase(server)
  await using _ = await openPgBackend({ dsn: database.dsn, ...context })
  const sql = new pg.Pool({ connectionString: database.dsn, max: 2 })
  sql.on('error', () => {})
  sql.on('connect', (client) => client.on('error', () => {}))
  await sql.query(audit)
  return {
    dsn: database.dsn,
    sql,
    written: async () => (await sql.query<Effect>('SELECT key, data FROM audit ORDER BY number')).rows,
    async conflicts() {
      const { rows } = await sql.query<{ ours: string }>(`SELECT coalesce(ours, '') AS ours FROM nexus_conflicts`)
      return rows.map(({ ours }) => ours)
    },
    async [Symbol.asyncDispose]() {
      await sql.end()
      await database[Symbol.asyncDispose]()
    },
  }
}

export const freshRoot = async (): Promise<AsyncDisposable & { path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'nexus-outage-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** What every writer puts into what it writes, and nobody else. */
const markers = (text: string): string[] => text.match(/op-[a-z0-9]+-\d+-/g) ?? []

/** The markers that each effect brought, in the order of the database, by key. */
export const effectsOf = (written: readonly Effect[]): Map<string, string[]> => {
  const byKey = new Map<string, { before: string[]; came: string[] }>()
  for (const { key, data } of written) {
    const found = markers(data)
    const { before, came } = byKey.get(key) ?? { before: [], came: [] }
    // A key that holds one marker is one that only its writer writes: the same again is the same effect again.
    came.push(...(found.length === 1 ? found : found.filter((marker) => !before.includes(marker))))
    byKey.set(key, { before: found, came })
  }
  return new Map([...byKey].map(([key, { came }]) => [key, came]))
}

export interface Acknowledged {
  marker: string
  key: string
}

export interface Judged {
  lost: number
  dup: number
  order: number
}

/**
 * Whether each acknowledged operation is in the database or among the conflicts, once, and those of each key in the order
 * in which its one writer did them.
 */
export const judge = async (
  { written, conflicts }: Pick<Audited, 'written' | 'conflicts'>,
  acknowledged: readonly Acknowledged[],
): Promise<Judged> => {
  const effects = effectsOf(await written())
  const kept = new Set((await conflicts()).flatMap(markers))
  const lost = acknowledged.filter(({ marker, key }) => !effects.get(key)?.includes(marker) && !kept.has(marker))
  const dup = [...effects.values()].map((came) => came.length - new Set(came).size)
  const places = new Map<string, number>()
  let order = 0
  for (const { marker, key } of acknowledged) {
    const writer = marker.replace(/\d+-$/, '')
    const place = effects.get(key)?.indexOf(marker) ?? -1
    if (place < 0) continue
    const one = `${key} ${writer}`
    if (place < (places.get(one) ?? -1)) order += 1
    places.set(one, place)
  }
  return { lost: lost.length, dup: dup.reduce((sum, count) => sum + count, 0), order }
}
