import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A fault of ours, put into a build: a module of `bugs/` that stands in for one of the sources. */
export type Bug =
  | 'copy-for-rename'
  | 'deaf-fsync'
  | 'fsync-again'
  | 'no-folder-fsync'
  | 'short-writes'
  | 'write-once'
  | 'blind-seal'
  | 'wall-clock'
  | 'no-fence'
  | 'load-then-save'
  | 'trusting-folder'
  | 'pid-alone'
  | 'mtime-stamp'
  | 'endless-slices'

/** The source that a bug stands in for; the system calls unless it says another. */
const replaced: Partial<Record<Bug, RegExp>> = {
  'blind-seal': /\/seal\.ts$/,
  'wall-clock': /\/context\.ts$/,
  'no-fence': /\/inbox\/holder\.ts$/,
  'trusting-folder': /\/folder\.ts$/,
  'endless-slices': /\/fs-backend\/src\/slices\.ts$/,
  'mtime-stamp': /\/fs-backend\/src\/stamp\.ts$/,
  'pid-alone': /\/runner\/process-identity\.ts$/,
  'load-then-save': /\/fs-backend\/src\/host-state\.ts$/,
}

/** Builds the programs from the sources, with a planted bug where one is named. */
export const buildPrograms = async (bug?: Bug): Promise<string> => {
  const outDir = await mkdtemp(join(tmpdir(), 'nexus-fs-proof-'))
  await symlink(here('../node_modules'), join(outDir, 'node_modules'))
  await build({
    entry: Object.fromEntries(
      ['writer', 'verifier', 'rotter', 'teller', 'member', 'crowd-verifier', 'swapper', 'wanderer', 'lister'].map(
        (name) => [name, here(`programs/${name}.ts`)],
      ),
    ),
    outDir,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    noExternal: [/^@nexus\//, 'zod'],
    esbuildPlugins: [
      {
        name: 'planted-bug',
        setup({ onResolve }) {
          if (bug)
            onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ importer, resolveDir, path }) =>
              importer.includes('/proof/bugs/') || !(replaced[bug] ?? /\/syscalls\.ts$/).test(join(resolveDir, path))
                ? undefined
                : { path: here(`bugs/${bug}.ts`) },
            )
        },
      },
    ],
    esbuildOptions: (options) => {
      options.conditions = ['nexus-source']
      options.outExtension = { '.js': '.mjs' }
    },
    removeNodeProtocol: false,
    config: false,
    silent: true,
  })
  return outDir
}
