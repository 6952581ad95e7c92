import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'

const room = fileURLToPath(new URL('..', import.meta.url))

/** The program as users run it, built from the sources under test. */
export interface Program extends AsyncDisposable {
  readonly main: string
}

export const buildProgram = async (): Promise<Program> => {
  const outDir = join(room, 'node_modules', '.cache', `program-${process.pid}-${Date.now()}`)
  await mkdir(outDir, { recursive: true })
  const source = (name: string) => join(room, 'src', name)
  await build({
    config: false,
    silent: true,
    entry: { main: source('main.ts'), supervisor: source('supervisor.ts'), 'demo-agent': source('demo/agent.ts') },
    outDir,
    format: 'esm',
    target: 'node20.19',
    splitting: true,
    removeNodeProtocol: false,
    noExternal: ['@nexus/core', '@nexus/router', '@nexus/fs-backend'],
    external: [/^(?!\.{0,2}\/)(?!(@nexus\/(core|router|fs-backend))$)/],
    esbuildOptions(options) {
      options.conditions = ['nexus-source']
    },
  })
  return { main: join(outDir, 'main.js'), [Symbol.asyncDispose]: () => rm(outDir, { recursive: true, force: true }) }
}

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  process: ChildProcess
  ended: Promise<Ended>
}

/** Starts the program with this environment and nothing of ours that would change where things are kept. */
export const start = (
  { main }: Pick<Program, 'main'>,
  args: readonly string[],
  { cwd, env = {}, input }: { cwd: string; env?: Record<string, string>; input?: string },
): Running => {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('NEXUS_'))
  const child = spawn(process.execPath, [main, ...args], { cwd, env: { ...Object.fromEntries(inherited), ...env } })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk)
  })
  child.stdin.end(input ?? '')
  return { process: child, ended: once(child, 'close').then(([code]) => ({ code, stdout, stderr })) }
}
