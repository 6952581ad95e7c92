import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export interface BuildOptions {
  /** The program to build, from this folder; the host unless given. */
  main?: string
  /** A fault of ours: `bugs/{bug}.ts` stands in for the source that `replaces` matches. */
  planted?: { bug: string; replaces: RegExp }
}

export interface BuiltHost extends AsyncDisposable {
  main: string
}

/** A host program and its supervisor, built from the sources. */
export const buildHost = async ({ main = '../src/main.ts', planted }: BuildOptions = {}): Promise<BuiltHost> => {
  const outDir = here(`../node_modules/.cache/host-${planted?.bug ?? 'sound'}-${process.pid}-${Date.now()}`)
  await mkdir(outDir, { recursive: true })
  await build({
    config: false,
    silent: true,
    entry: { main: here(main), supervisor: here('../src/supervisor.ts') },
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
          if (planted)
            onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ importer, resolveDir, path }) =>
              !importer.includes('/proof/bugs/') && planted.replaces.test(join(resolveDir, path))
                ? { path: here(`bugs/${planted.bug}.ts`) }
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

/** The host program with a fault of ours: `bugs/{bug}.ts` stands in for one of the sources. */
export const plantedHost = (bug: string, replaces: RegExp): Promise<BuiltHost> =>
  buildHost({ planted: { bug, replaces } })
