import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

export interface Programs extends AsyncDisposable {
  readonly supervisor: string
  readonly launcher: string
}

/** The supervisor and the launching fixture as real programs, built from the sources under test into a path with a blank. */
export async function buildPrograms(): Promise<Programs> {
  const outDir = await mkdtemp(join(tmpdir(), 'nexus programs '))
  await build({
    config: false,
    silent: true,
    entry: {
      supervisor: fileURLToPath(new URL('../../src/supervisor.ts', import.meta.url)),
      launcher: fileURLToPath(new URL('./fixtures/launcher.ts', import.meta.url)),
    },
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    splitting: false,
    removeNodeProtocol: false,
    outExtension: () => ({ js: '.mjs' }),
  })
  return {
    supervisor: join(outDir, 'supervisor.mjs'),
    launcher: join(outDir, 'launcher.mjs'),
    [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }),
  }
}
