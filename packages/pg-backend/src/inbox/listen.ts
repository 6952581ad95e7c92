import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { createSockets } from '../sockets.ts'
import { listen, listening, ping } from '../statements/inbox-watch.ts'
import type { PgTools } from '../tools.ts'
import { pause } from './pause.ts'

const channel = 'nexus_inbox'
const patienceMs = 2500
const selfTestMs = 2000
const goodbyeMs = 500
/** How often a connection that listens is looked at, and a hint given that nothing sent. */
const pollMs = 30_000

export interface Listener {
  /** Ends the connection. */
  signal: AbortSignal
  /** A project that has news, or null where it is unknown which. */
  hint(project: string | null): void
}

const openConnection = (dsn: string) => {
  const sockets = createSockets()
  const client = new pg.Client({
    connectionString: dsn,
    application_name: 'nexus-listen',
    connectionTimeoutMillis: patienceMs,
    query_timeout: patienceMs,
    keepAlive: true,
    stream: sockets.stream,
  })
  const lost = new AbortController()
  client.on('error', () => lost.abort())
  client.on('end', () => lost.abort())
  const close = () => sockets.close(client.end(), goodbyeMs).catch(() => {})
  return { client, lost: lost.signal, close }
}

/**
 * Proves that what is sent over another connection arrives here. Behind a pooler that shares connections between
 * transactions LISTEN is accepted and nothing is ever heard.
 */
const proveHearing = async (client: pg.Client, { run }: PgTools, signal: AbortSignal): Promise<boolean> => {
  const probe = `nexus_probe_${randomUUID().replaceAll('-', '')}`
  const heard = new AbortController()
  client.on('notification', (message) => {
    if (message.channel === probe) heard.abort()
  })
  await client.query(listen(probe))
  await run(ping, [probe], { signal })
  await pause(selfTestMs, AbortSignal.any([signal, heard.signal]))
  return heard.signal.aborted
}

/** Whether the database answers on the way that the stores take. */
export const serves = ({ run }: PgTools): Promise<boolean> =>
  run(ping, ['nexus_probe']).then(
    () => true,
    () => false,
  )

const isListening = async (client: pg.Client): Promise<boolean> => {
  const answer = await client.query<{ count: number }>(listening).catch(() => null)
  return (answer?.rows[0]?.count ?? 0) > 0
}

/** Gives hints until the signal aborts or the connection is lost. Deaf: it listened, and heard nothing. */
export const listenOnce = async (tools: PgTools, { signal, hint }: Listener): Promise<'lost' | 'deaf'> => {
  const { client, lost, close } = openConnection(tools.listenDsn)
  const ended = AbortSignal.any([signal, lost])
  client.on('notification', (message) => {
    if (message.channel === channel) hint(message.payload || null)
  })
  try {
    await client.connect()
    await client.query(listen(channel))
    if (!(await proveHearing(client, tools, ended))) return 'deaf'
    // Whatever came before it listened was not heard.
    hint(null)
    while ((await pause(pollMs, ended)) && (await isListening(client))) hint(null)
    return 'lost'
  } finally {
    await close()
  }
}
