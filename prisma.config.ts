import { defineConfig } from 'prisma/config'

// generate, validate and studio need no schema engine, but the command line would download one.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  experimental: { externalTables: true },
  tables: {
    external: ['quarantine', 'applied', 'conflicts', 'moved', 'identity'].map((name) => `public.nexus_${name}`),
  },
  datasource: { url: process.env['NEXUS_STORAGE_DSN'] ?? '' },
})
