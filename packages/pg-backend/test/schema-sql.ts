import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'

type Exports = Record<string, unknown>

/** Node has it; its types want the DOM's. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Exports } }> }
}

const wasm = 'schema_engine_bg.wasm'

/** Once per process: a second instance would take the first one's memory for its own. */
export const loadSchemaEngine = async (): Promise<typeof engine> => {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const { instance } = await WebAssembly.instantiate(await readFile(join(folder, wasm)), {
    './schema_engine_bg.js': engine,
  })
  engine.__wbg_set_wasm(instance.exports)
  const start = instance.exports['__wbindgen_start']
  if (typeof start === 'function') start()
  return engine
}

/** The SQL that Prisma itself would make of the schema. The engine wants a live database to look at. */
export const sqlOfSchema = async ({ SchemaEngine }: typeof engine, content: string, dsn: string): Promise<string> => {
  const factory = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: dsn }))
  const path = 'schema.prisma'
  const schemaEngine = await SchemaEngine.new({ datamodels: [[path, content]] }, () => {}, factory)
  const { stdout } = await schemaEngine.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path, content }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  return stdout ?? ''
}
