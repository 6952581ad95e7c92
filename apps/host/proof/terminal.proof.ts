import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { mkfifoSync } from '../test/fifo.ts'
import { createTerminal } from '../test/terminal.ts'
import { until } from '../test/until.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const agent = fileURLToPath(new URL('../test/agents/progress.sh', import.meta.url))
const ctrlC = '\u0003'

/** A host on a terminal of its own, 160 columns wide, with one task that waits at a gate. */
const openTerminal = async (flags: string, env: Record<string, string> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-tty-'))
  await mkdir(join(folder, 'shop'))
  mkfifoSync(join(folder, 'shop/gate-s1'))
  const agents = { triage: { command: ['sh', agent] } }
  const steps = [{ id: 's1', agent_type: 'triage', prompt: 'x' }]
  const config = { projects: { shop: { workspace: './shop' } }, agents, workflows: { chain: { steps } } }
  await writeFile(join(folder, 'nexus.yaml'), JSON.stringify(config))
  await mkdir(join(folder, '.nexus/inbox/shop'), { recursive: true })
  await writeFile(join(folder, '.nexus/inbox/shop/cart.md'), '**Issue:** 12\n')
  const line = `stty -echo cols 160 rows 30; exec '${process.execPath}' '${main}' run ${flags}`
  const inherited = { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm-256color' }
  const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd: folder, env: { ...inherited, ...env } })
  const terminal = createTerminal()
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
    terminal.write(text)
  })
  return {
    terminal,
    said: () => said,
    openGate: () => writeFile(join(folder, 'shop/gate-s1'), 'go\n'),
    async end() {
      child.stdin.write(ctrlC)
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) child.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const liveLine = /^shop\/12 {2}step 1 of 1 {2}triage {2}\d+s {2}half of s1$/

test('on a terminal each task has a line below the log, which is gone when the host is', async () => {
  await using host = await openTerminal('')
  const { terminal } = host
  await until('the line', () => liveLine.test(terminal.shown().at(-1) ?? ''))
  const age = terminal.shown().at(-1)
  await until('its time', () => terminal.shown().at(-1) !== age)
  expect(terminal.shown().filter((line) => liveLine.test(line))).toHaveLength(1)
  expect(terminal.shown().some((line) => line.includes('step started'))).toBe(true)
  expect(terminal.state.colors).toBeGreaterThan(0)
  await host.openGate()
  await until('the end', () => terminal.shown().some((line) => line.includes('task done')))
  await until('no line', () => !terminal.shown().some((line) => liveLine.test(line)))
  expect(await host.end()).toBe(0)
  expect(terminal.shown().at(-1)).toContain('host ended')
  expect(terminal.shown().some((line) => /step 1 of 1|between steps/.test(line))).toBe(false)
})

test('NO_COLOR: the same, plain', async () => {
  await using host = await openTerminal('', { NO_COLOR: '1' })
  await until('the line', () => liveLine.test(host.terminal.shown().at(-1) ?? ''))
  expect(host.terminal.state.colors).toBe(0)
  expect(await host.end()).toBe(0)
  expect(host.terminal.shown().some((line) => liveLine.test(line))).toBe(false)
})

test('--no-live: the log alone', async () => {
  await using host = await openTerminal('--no-live')
  await until('the progress', () => host.said().includes('agent reports'))
  expect(host.said()).not.toContain('step 1 of 1')
  expect(host.said()).not.toContain('\u001b[1A')
  expect(await host.end()).toBe(0)
})
