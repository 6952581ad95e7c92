/// <reference path="./sql.d.ts" />
import { createHash } from 'node:crypto'
import init from '../../../prisma/migrations/0001_init/migration.sql?raw'
import claimsOfOthers from '../../../prisma/migrations/0002_claims_of_others/migration.sql?raw'
import atScale from '../../../prisma/migrations/0003_at_scale/migration.sql?raw'
import outage from '../../../prisma/migrations/0004_outage/migration.sql?raw'
import moving from '../../../prisma/migrations/0005_moving/migration.sql?raw'
import identity from '../../../prisma/migrations/0006_identity/migration.sql?raw'
import queue from '../../../prisma/migrations/0007_queue/migration.sql?raw'

/** One folder of `prisma/migrations`, as Prisma names and sums it. */
export interface Migration {
  name: string
  sql: string
  checksum: string
}

export const migration = (name: string, sql: string): Migration => ({
  name,
  sql,
  checksum: createHash('sha256').update(sql).digest('hex'),
})

/** In the order they are applied. */
export const migrations: readonly Migration[] = [
  migration('0001_init', init),
  migration('0002_claims_of_others', claimsOfOthers),
  migration('0003_at_scale', atScale),
  migration('0004_outage', outage),
  migration('0005_moving', moving),
  migration('0006_identity', identity),
  migration('0007_queue', queue),
]
