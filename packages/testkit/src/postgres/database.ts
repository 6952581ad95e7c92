import { randomBytes } from 'node:crypto'
import pg from 'pg'

export interface FreshDatabase extends AsyncDisposable {
  readonly dsn: string
}

const once = async (dsn: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: dsn, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** A new database on that server, empty or a copy of the template, dropped on dispose with whatever is still connected. */
export const freshDatabase = async (dsn: string, template = 'template0'): Promise<FreshDatabase> => {
  const name = `nexus_${randomBytes(8).toString('hex')}`
  await once(dsn, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(dsn)
  url.pathname = `/${name}`
  return {
    dsn: url.href,
    async [Symbol.asyncDispose]() {
      await once(dsn, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
}
