import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { rawSql } from '../raw-sql.config.ts'

/** Makes a test's TypeScript program one that Node runs, from the sources as they are. Gives its path. */
export const bundleProgram = async (name: string): Promise<string> => {
  const outDir = fileURLToPath(new URL('../node_modules/.cache/programs/', import.meta.url))
  await build({
    entry: { [name]: fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url)) },
    outDir,
    format: 'esm',
    target: 'node20.19',
    removeNodeProtocol: false,
    config: false,
    silent: true,
    external: ['pg', /^@prisma\//],
    noExternal: [/^@nexus\//, 'zod'],
    esbuildPlugins: [rawSql],
    esbuildOptions(options) {
      options.conditions = ['nexus-source']
    },
  })
  return `${outDir}${name}.js`
}
