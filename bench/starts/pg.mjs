import pg from 'pg'

const client = new pg.Client({ connectionString: process.env.NEXUS_STORAGE_DSN })
await client.connect()
await client.query("SELECT data FROM nexus_host_state WHERE key = 'greeting'")
await client.end()
