import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { until } from '../test/until.ts'
import { report } from './verify.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const tasks = 20
const patienceMs = 120_000

/** What a person does who starts the demonstration and follows what it prints. */
const startDemo = (cwd: string) => {
  const command = [main, 'demo', '--embedded-postgres', '--tasks', String(tasks)]
  const child = spawn(process.execPath, command, {
    cwd,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const count = (pattern: RegExp): number => said.match(pattern)?.length ?? 0
  return {
    child,
    said: () => said,
    count,
    reaches: (pattern: RegExp, least = 1) =>
      until(`${least} × ${pattern}`, () => count(pattern) >= least, patienceMs).catch((error: Error) => {
        throw new Error(`${error.message}\n${said}`)
      }),
  }
}

test('outage: [C-ROUTE-15] in the demonstration, its database stopped and started amid twenty tasks, all are done, and one line on either side says so', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-demo-'))
  // The server runs as an unprivileged account where we are root, which must be able to reach its data.
  await chmod(folder, 0o755)
  const { child, said, count, reaches } = startDemo(folder)
  try {
    await reaches(/step reported/g, 10)
    const [, pid] = /^Database off, on +kill -USR2 (\d+)$/m.exec(said()) ?? []
    process.kill(Number(pid), 'SIGUSR2')
    await reaches(/A backend is down/g)
    process.kill(Number(pid), 'SIGUSR2')
    await reaches(/A backend is in use again/g)
    await reaches(/task done/g, tasks)
    const gone = once(child, 'exit')
    child.kill('SIGINT')
    expect((await gone)[0]).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
  const lines = count(/ WARN| ERROR|again/g)
  const written = (await readFile(join(folder, '.demo/on-postgres/demo/workspace/result.txt'), 'utf8'))
    .trim()
    .split('\n')
  const figures = { tasks: count(/task done/g), steps: count(/step reported/g), started: count(/step started/g) }
  expect({ ...figures, written: written.length, lines }, said()).toEqual({
    tasks,
    steps: tasks * 3,
    started: tasks * 3,
    written: tasks,
    lines: 2,
  })
  expect(said()).toMatch(/A backend is down.* journaled=.* waiting=.* cause=.* since=.* journal=/)
  expect(said()).toMatch(/A backend is in use again.* replayed=\d+ conflicts=0 seconds=/)
  report('outage, demonstration', { ...figures, written: written.length, lines })
  await rm(folder, { recursive: true, force: true })
})
