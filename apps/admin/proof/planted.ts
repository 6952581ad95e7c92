import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export interface BuiltAdmin extends AsyncDisposable {
  main: string
}

/** nexus-admin with a fault of ours: `bugs/{bug}.ts` stands in for the source that `replaces` matches. */
export const plantedAdmin = async (bug: string, replaces: RegExp): Promise<BuiltAdmin> => {
  const outDir = here(`../node_modules/.cache/admin-${bug}-${process.pid}-${Date.now()}`)
  await mkdir(outDir, { recursive: true })
  await build({
    config: false,
    silent: true,
    entry: { main: here('../src/main.ts') },
    outDir,
    format: 'esm',
    target: 'node20.19',
    splitting: false,
    removeNodeProtocol: false,
    external: [/^(?!\.{0,2}\/)/],
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
  })
  return { main: join(outDir, 'main.js'), [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }) }
}
