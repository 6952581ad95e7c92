import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { PrismaClient } from '../../packages/pg-backend/src/generated/client.ts'

/** The same rows through Prisma Client by itself, on a pool of ten. */
export const openPrisma = (pool: pg.Pool) => {
  const client = new PrismaClient({ adapter: new PrismaPg(pool) })
  return {
    save: (key: string, data: string) =>
      client.hostState.upsert({ where: { key }, create: { key, data }, update: { data, updatedAt: new Date() } }),
    load: (key: string) => client.hostState.findUnique({ where: { key } }),
    [Symbol.asyncDispose]: () => client.$disconnect(),
  }
}
