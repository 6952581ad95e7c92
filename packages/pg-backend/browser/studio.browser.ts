import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createFakes } from '@nexus/testkit'
import { freshDatabase, startCluster } from '@nexus/testkit/postgres'
import { chromium } from 'playwright-core'
import { expect, test } from 'vitest'
import { openPgBackend } from '../src/index.ts'

const top = fileURLToPath(new URL('../../../', import.meta.url))

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

/** Prisma Studio as `pnpm studio` starts it, in its own process group; ended with the test. */
const startStudio = async (dsn: string): Promise<AsyncDisposable & { url: string }> => {
  const port = await freePort()
  const child = spawn('npx', ['--yes', 'pnpm', 'studio', '--port', String(port), '--browser', 'none'], {
    cwd: top,
    env: { ...process.env, NEXUS_STORAGE_DSN: dsn },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: string[] = []
  const url = await new Promise<string>((ready, fail) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        said.push(line)
        const found = /running at:? *(http:\S+)/.exec(line)
        if (found?.[1]) ready(found[1])
      })
    child.once('exit', (code) => fail(new Error(`studio exited ${code}:\n${said.join('\n')}`)))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      const gone = once(child, 'exit')
      process.kill(-(child.pid ?? 0), 'SIGKILL')
      await gone
    },
  }
}

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

test('[C-PG-4] Prisma Studio shows the five tables and a row that the stores wrote', async () => {
  await using cluster = await startCluster()
  await using database = await freshDatabase(cluster.dsn)
  await using backend = await openPgBackend({ dsn: database.dsn, ...createFakes().context })
  await backend.hostState.save('studio-canary', { seen: true })

  await using studio = await startStudio(database.dsn)
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: flags,
  })
  try {
    const page = await browser.newPage()
    await page.goto(studio.url)
    for (const table of ['workflows', 'completions', 'host_state', 'task_files', 'inbox_queue'])
      await page.getByText(`nexus_${table}`).first().waitFor()
    await page.getByText('nexus_host_state').first().click()
    await page.getByText('studio-canary').first().waitFor()
    expect(await page.getByText('nexus_inbox_queue').count()).toBeGreaterThan(0)
  } finally {
    await browser.close()
  }
})
