import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readConfig, storeNames } from '@nexus/core'
import type { Cli } from '../cli/cli.ts'
import { CommandError, exit } from '../cli/exit.ts'
import { say } from '../cli/output.ts'

interface StudioOptions {
  port?: string
  browser: boolean
}

/** The command line of Prisma and its configuration, which lie in the checkout that this program was built in. */
const findPrisma = (): { program: string; config: string } => {
  const require = createRequire(import.meta.url)
  try {
    return {
      program: join(dirname(require.resolve('prisma/package.json')), 'build', 'index.js'),
      config: join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'prisma.config.ts'),
    }
  } catch {
    throw new CommandError(
      'failed',
      'Prisma is not installed here. In a checkout of Nexus: npx --yes pnpm install, then this again.',
    )
  }
}

/** The DSN goes by the environment alone: a command line is for everybody to read. */
const studio = async ({ port, browser }: StudioOptions): Promise<void> => {
  const { routes, dsn } = readConfig(process.env)
  if (dsn === null || !storeNames.some((store) => routes[store].backend === 'postgres'))
    throw new CommandError(
      'configuration',
      'Nothing is kept in PostgreSQL, so Prisma Studio has nothing to show. Set NEXUS_STORAGE_BACKEND=postgres and ' +
        'NEXUS_STORAGE_DSN, or look at the files below NEXUS_DIR.',
    )
  const { program, config } = findPrisma()
  const args = [
    'studio',
    '--config',
    config,
    ...(port ? ['--port', port] : []),
    ...(browser ? [] : ['--browser', 'none']),
  ]
  const child = spawn(process.execPath, [program, ...args], {
    cwd: dirname(config),
    env: { ...process.env, NEXUS_STORAGE_DSN: dsn },
    stdio: 'inherit',
  })
  // Ctrl-C reaches both; who is told alone tells the other.
  let isAsked = false
  const stop = (): void => {
    isAsked = true
    child.kill('SIGTERM')
  }
  process.once('SIGTERM', stop).once('SIGINT', stop)
  const [code] = await once(child, 'exit')
  process.off('SIGTERM', stop).off('SIGINT', stop)
  if (isAsked || code === 0) return
  say(`Prisma Studio ended with code ${code}.`)
  process.exitCode = exit.failed
}

export const addStudioCommand = (cli: Cli): void => {
  cli
    .command('studio', {
      description: 'Opens Prisma Studio on the tables, until Ctrl-C.',
      examples: ['nexus-admin studio', 'nexus-admin studio --port 5555 --no-browser'],
      exits: { failed: 'Prisma is not installed, or ended with an error' },
      prints: null,
    })
    .option('--port <port>', 'the port that it listens on')
    .option('--no-browser', 'say the address, and open no browser')
    .action(studio)
}
