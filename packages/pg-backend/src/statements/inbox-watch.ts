import { statement } from '../query.ts'

/** What the connection that listens sends itself; never prepared. */
export const listen = (channel: string): string => `LISTEN ${channel}`

export const listening = 'SELECT count(*)::integer AS count FROM pg_listening_channels()'

/** Sent from another connection: only what comes through the server proves that listening works. */
export const ping = statement<{ pinged: number }>(`SELECT count(pg_notify($1::text, ''))::integer AS pinged`)
