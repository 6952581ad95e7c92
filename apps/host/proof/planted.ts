import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The host program with a fault of ours: `bugs/{bug}.ts` stands in for one of the router's sources. */
export const plantedHost = async (bug: string, replaces: RegExp): Promise<AsyncDisposable & { main: string }> => {
  const outDir = here(`../node_modules/.cache/planted-${bug}-${process.pid}`)
  await mkdir(outDir, { recursive: true })
  await build({
    config: false,
    silent: true,
    entry: { main: here('../src/main.ts'), supervisor: here('../src/supervisor.ts') },
    outDir,
    format: 'esm',
    target: 'node20.19',
    splitting: false,
    removeNodeProtocol: false,
    noExternal: ['@nexus/router'],
    external: [/^(?!\.{0,2}\/)(?!@nexus\/router$)/],
    esbuildPlugins: [
      {
        name: 'planted-bug',
        setup({ onResolve }) {
          onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ importer, resolveDir, path }) =>
            !importer.includes('/proof/bugs/') && replaces.test(join(resolveDir, path))
              ? { path: here(`bugs/${bug}.ts`) }
              : undefined,
          )
        },
      },
    ],
    esbuildOptions(options) {
      options.conditions = ['nexus-source']
    },
  })
  return { main: join(outDir, 'main.js'), [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }) }
}
