import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, createIds, readConfig, systemClock } from '@nexus/core'
import { openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { openRouter, storageMap, storageMapText } from '@nexus/router'
import { type Cluster, startCluster } from '@nexus/testkit/postgres'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { canary, createSearch, type Search } from './canary.ts'

const dist = (app: string): string => fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url))

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster({ password: canary.password })
})
afterAll(() => cluster[Symbol.asyncDispose]())

const report = (proof: string, figures: Record<string, number | string>): void => {
  const words = Object.entries(figures).map(([key, value]) => `${key}=${value}`)
  process.stdout.write(`${proof}: ${words.join(' ')}\n`)
}

const secret = encodeURIComponent(canary.password)

/** Takes a connection and hangs up. */
const rudeServer = async () => {
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { port, [Symbol.dispose]: () => server.close() }
}

/** DSNs that lead nowhere, by what is wrong with them. */
const wrongDsns = (rudePort: number): Record<string, string> => {
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(cluster.dsn)
    change(url)
    return url.href
  }
  return {
    'nobody listens': `postgresql://nexus:${secret}@127.0.0.1:1/x`,
    'no such host': `postgresql://nexus:${secret}@nexus.invalid/x`,
    'no PostgreSQL': `postgresql://nexus:${secret}@127.0.0.1:${rudePort}/x`,
    'no TLS there': changed((url) => url.searchParams.set('sslmode', 'require')),
    'wrong password': changed((url) => {
      url.password = encodeURIComponent(canary.other)
    }),
    'no such user': changed((url) => {
      url.username = 'nobody'
    }),
    'no such database': changed((url) => {
      url.pathname = '/nowhere'
    }),
    'no port': `postgresql://nexus:${secret}@127.0.0.1:port/x`,
    'another scheme': `mysql://nexus:${secret}@127.0.0.1/x`,
    'no URL': `host=127.0.0.1 user=nexus password=${canary.password}`,
    'no host': `postgresql://nexus:${secret}@/x`,
    'an open bracket': `postgresql://nexus:${secret}@[::1/x`,
    'a stray percent sign': `postgresql://nexus:${canary.mark}%zz@127.0.0.1:1/x`,
    'not encoded': `postgresql://nexus:${canary.password}@127.0.0.1:1/x`,
  }
}

const contextWith = (search: Search, place: string) => ({
  clock: systemClock,
  ids: createIds(systemClock),
  logger: search.logger(`${place}, log`),
  liveness: () => 'unknown' as const,
})

const freshFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface Routed {
  dsn: string
  root: string
}

/** As a host has them, with the journal of its root. */
const openRouted = (search: Search, place: string, { dsn, root }: Routed): Promise<Backend> => {
  const context = contextWith(search, place)
  return openRouter({
    config: readConfig({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: dsn }),
    registry: {
      filesystem: () => Promise.reject(new Error('Nothing is routed to files.')),
      postgres: (config) => openPgBackend({ dsn: config.dsn ?? '', ...context }),
    },
    journal: () => openJournalFiles({ root, ...context }),
    context,
  })
}

/** One call of each store, and what each throws. */
const callAll = (search: Search, place: string, backend: Backend): Promise<unknown> =>
  Promise.all(
    [
      backend.workflows.save({ id: 'w', name: 'w', state: 'running', currentStep: 1, data: {} }),
      backend.completions.scan(),
      backend.hostState.save('k', 1),
      backend.taskFiles.save({ project: 'shop', filename: 't.md', content: 'Fix it' }),
      backend.inbox.enqueue([{ project: 'shop', filename: 't.md', markdown: 'Fix it' }]),
    ].map((call) => call.catch((error: unknown) => search.error(`${place}, call`, error))),
  )

const status = async (search: Search, place: string, stores: Backend, dsn: string): Promise<void> => {
  const config = readConfig({ NEXUS_STORAGE_BACKEND: 'postgres', NEXUS_STORAGE_DSN: dsn })
  search.text(`${place}, status`, storageMapText(await storageMap(config, stores)))
}

/** A DSN that is wrong, from the reading of the configuration to a call. */
const tryWrong = async (search: Search, place: string, dsn: string): Promise<void> => {
  const refuse = (step: string) => (error: unknown) => search.error(`${place}, ${step}`, error)
  await openPgBackend({ dsn, ...contextWith(search, place) }).catch(refuse('open'))
  try {
    await using router = await openRouted(search, place, { dsn, root: freshFolder() })
    await callAll(search, place, router)
    await status(search, place, router, dsn)
  } catch (error) {
    refuse('router')(error)
  }
}

test('secrets: [C-ROUTE-5, C-ALL-2] no error, log line or status says the password, whatever is wrong with the DSN', {
  timeout: 120_000,
}, async () => {
  using rude = await rudeServer()
  const search = createSearch()
  const wrong = Object.entries(wrongDsns(rude.port))
  for (const [place, dsn] of wrong) await tryWrong(search, place, dsn)
  report('secrets, wrong DSNs', { dsns: wrong.length, places: search.places(), found: search.found().length })
  expect(search.found()).toEqual([])
  expect(search.places()).toBeGreaterThan(wrong.length * 2)
})

test('secrets: [C-ROUTE-5, C-ALL-2] nor when the server goes away amid the work, and comes back', {
  timeout: 120_000,
}, async () => {
  const search = createSearch()
  const place = 'outage'
  const { dsn } = cluster
  await using backend = await openPgBackend({ dsn, ...contextWith(search, place) })
  const root = freshFolder()
  await using router = await openRouted(search, place, { dsn, root })
  const hints = backend.inbox.watch(AbortSignal.timeout(60_000))[Symbol.asyncIterator]()
  await hints.next()
  const working = [callAll(search, place, backend), callAll(search, place, router), cluster.kill()]
  await Promise.all(working)
  for (const stores of [backend, router]) await callAll(search, place, stores)
  search.error(`${place}, health`, await backend.health('inbox'))
  await status(search, place, router, dsn)
  await await backend.hostState.keys().catch((error: unknown) => search.error(`${place}, keys`, error))
  expect(await router.hostState.save('k', 2)).toMatchObject({ journaled: true })
  search.folder(`${place}, journal`, root)
  await cluster.start()
  await vi.waitFor(async () => expect(await router.health('inbox')).toEqual({ status: 'ok' }), { timeout: 20_000 })
  await callAll(search, place, router)
  await hints.return?.()
  report('secrets, outage', { places: search.places(), found: search.found().length })
  expect(search.found()).toEqual([])
  expect(search.places()).toBeGreaterThan(10)
})

const variables = (root: string, dsn: string): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: root,
  NEXUS_STORAGE_BACKEND: 'postgres',
  NEXUS_STORAGE_DSN: dsn,
  NEXUS_DIR: join(root, '.nexus'),
})

interface Starting {
  app: 'admin' | 'host'
  args: string[]
  env: NodeJS.ProcessEnv
  input?: string
}

const runProgram = (search: Search, place: string, { app, args, env, input = '' }: Starting) => {
  const child = spawn(process.execPath, [dist(app), ...args], { env, cwd: env['HOME'], stdio: 'pipe' })
  onTestFinished(() => void child.kill('SIGKILL'))
  child.stdin.end(input)
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => said.push(text))
  const ended = once(child, 'close').then(() => search.text(`${place}, output`, said.join('')))
  return { child, said, ended }
}

/** The environment and the command line of everything that a process started, as root or its owner can read them. */
const searchChildren = (search: Search, place: string, parent: number): number => {
  const alive = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1')
    } catch {
      return ''
    }
  }
  const children = alive.filter((pid) => new RegExp(`\\) \\S ${parent} `).test(read(pid, 'stat')))
  for (const pid of children)
    search.text(`${place}, process ${read(pid, 'comm')}`, read(pid, 'environ') + read(pid, 'cmdline'))
  return children.length + children.reduce((sum, pid) => sum + searchChildren(search, place, Number(pid)), 0)
}

/** A project whose agent writes down its environment, and stays until it is let go. */
const createRoom = (): { root: string; isAtWork(): boolean; letGo(): void } => {
  const root = freshFolder()
  mkdirSync(join(root, 'shop'))
  const noted = join(root, 'environment')
  const gate = join(root, 'gate')
  writeFileSync(
    join(root, 'agent.sh'),
    `env >${noted}.new; mv ${noted}.new ${noted}; until [ -e ${gate} ] || [ ! -d ${root} ]; do sleep 0.05; done\n` +
      `echo '{"agent_type":"developer","summary":"done"}' >"$NEXUS_COMPLETION_FILE"\n`,
  )
  const names = 'NEXUS_STORAGE_DSN, PGPASSWORD, DATABASE_URL'
  writeFileSync(
    join(root, 'nexus.yaml'),
    `projects: { shop: { workspace: ./shop, workflow: chain } }
agents: { developer: { command: "sh ${join(root, 'agent.sh')}", env: [${names}] } }
workflows: { chain: { steps: [{ id: develop, agent_type: developer, prompt: 'Do it.', final_step: true }] } }
`,
  )
  return { root, isAtWork: () => existsSync(noted), letGo: () => writeFileSync(gate, '') }
}

test('secrets: [C-ROUTE-5] no program prints it, gives it to a child or leaves it on disk', {
  timeout: 180_000,
}, async () => {
  const search = createSearch()
  using rude = await rudeServer()
  const room = createRoom()
  const { root } = room
  for (const [place, dsn] of Object.entries(wrongDsns(rude.port))) {
    await runProgram(search, `status: ${place}`, { app: 'admin', args: ['status'], env: variables(root, dsn) }).ended
  }
  const env = { ...variables(root, cluster.dsn), PGPASSWORD: canary.password, DATABASE_URL: cluster.dsn }
  const first = runProgram(search, 'host', { app: 'host', args: ['run'], env })
  await runProgram(search, 'add', { app: 'host', args: ['add', 'shop', 'cart.md'], env, input: 'The cart forgets.' })
    .ended
  await vi.waitFor(() => expect(room.isAtWork(), first.said.join('')).toBe(true), { timeout: 60_000 })
  const children = searchChildren(search, 'host', first.child.pid ?? 0)
  await cluster.kill()
  await vi.waitFor(() => expect(first.said.join('')).toMatch(/down/), { timeout: 30_000 })
  for (const args of [['status', '--json'], ['conflicts']])
    await runProgram(search, `${args[0]}: down`, { app: 'admin', args, env }).ended
  first.child.kill('SIGKILL')
  await first.ended
  search.folder('root after the crash', root)
  await cluster.start()
  room.letGo()
  await runProgram(search, 'host again', { app: 'host', args: ['run', '--once'], env }).ended
  search.folder('root in the end', root)
  report('secrets, programs', { children, places: search.places(), found: search.found().length })
  expect(search.found()).toEqual([])
  expect(children).toBeGreaterThan(1)
})

test('secrets: an error that carries the DSN is caught, however deep', () => {
  const search = createSearch()
  try {
    new URL(`postgresql://nexus:${secret}@127.0.0.1:port/x`)
  } catch (cause) {
    search.error('an error', new Error('The database cannot be reached', { cause: new Error('No URL', { cause }) }))
  }
  report('secrets, planted', { places: search.places(), found: search.found().length })
  expect(search.found()).toEqual(['an error'])
})
