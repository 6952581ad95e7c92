import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export type ProgramName = 'writer'

/** Builds the programs of `programs/` from the sources, so that child processes run without a loader. */
export const buildPrograms = async (): Promise<string> => {
  const outDir = await mkdtemp(join(tmpdir(), 'nexus-fs-programs-'))
  await symlink(here('../node_modules'), join(outDir, 'node_modules'))
  await build({
    entry: { writer: here('programs/writer.ts') },
    outDir,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    noExternal: [/^@nexus\//, 'zod'],
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

export interface Program {
  process: ChildProcess
  output: Interface
  /** Lines of its output so far. */
  lines: string[]
  ended: Promise<number | null>
  /** Resolves with the next line, or with null at the end. */
  nextLine(): Promise<string | null>
}

export const startProgram = (folder: string, name: ProgramName, args: readonly string[]): Program => {
  const child = spawn(process.execPath, [join(folder, `${name}.mjs`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const output = createInterface(child.stdout)
  output.on('line', (line) => lines.push(line))
  const closed = once(output, 'close')
  const ended = Promise.all([once(child, 'exit'), closed]).then(([[code]]) => code as number | null)
  return {
    process: child,
    output,
    lines,
    ended,
    nextLine: () => Promise.race([once(output, 'line').then(([line]) => String(line)), closed.then(() => null)]),
  }
}
