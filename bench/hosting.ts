import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Backend } from '@nexus/core'
import { startServer } from './server.ts'
import { openStores } from './stores.ts'

const main = fileURLToPath(new URL('../apps/host/dist/main.js', import.meta.url))

export const backends = ['filesystem', 'postgres'] as const

/** A host program at work on a root of its own, as users run it. */
export interface Hosting extends AsyncDisposable {
  readonly folder: string
  readonly host: ChildProcess
  /** The variables that lead to its stores. */
  readonly env: Readonly<Record<string, string>>
  readonly stores: Backend
}

/** Starts a host with one project, `shop`, whose tasks go through these steps, all of them by the one agent. */
export const startHosting = async (
  backend: (typeof backends)[number],
  { steps, command }: { steps: number; command(folder: string): readonly string[] },
): Promise<Hosting> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  const server = await startServer()
  const database = await server.database()
  const file = join(folder, 'nexus.yaml')
  await mkdir(join(folder, 'shop'))
  await writeFile(
    file,
    JSON.stringify({
      projects: { shop: { workspace: './shop', workflow: 'chain' } },
      agents: { worker: { command: command(folder) } },
      workflows: {
        chain: {
          steps: Array.from({ length: steps }, (_, n) => ({ id: `s${n + 1}`, agent_type: 'worker', prompt: 'Go.' })),
        },
      },
    }),
  )
  const root = join(folder, '.nexus')
  const variables = { NEXUS_STORAGE_BACKEND: backend, NEXUS_STORAGE_DSN: database.dsn, NEXUS_DIR: root }
  const stores = await openStores(variables)
  const host = spawn(process.execPath, [main, 'run', '--config', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  await new Promise<void>((resolve, reject) => {
    host.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('host ready')) resolve()
    })
    host.once('exit', () => reject(new Error(`The host ended: ${said}`)))
  })
  return {
    folder,
    host,
    env: variables,
    stores,
    async [Symbol.asyncDispose]() {
      const gone = once(host, 'exit')
      host.kill('SIGTERM')
      await gone
      await stores[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
