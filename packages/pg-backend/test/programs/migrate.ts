import { silentLogger } from '@nexus/core'
import { openPgClient } from '../../src/client.ts'
import { migrate } from '../../src/migrate.ts'

await using client = openPgClient({
  dsn: process.argv[2] ?? '',
  logger: silentLogger,
  maxConnections: 2,
  timeoutMs: 10_000,
})
await migrate({ client, logger: silentLogger })
const { rows } = await client.query(
  `INSERT INTO nexus_inbox_queue (project_key, filename) VALUES ('a', 'b.md') RETURNING id`,
)
process.stdout.write(`ACK ${rows[0]?.['id']}\n`)
