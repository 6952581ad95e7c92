import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readHostConfig } from '../src/config/read.ts'

const top = fileURLToPath(new URL('../../../', import.meta.url))
const readme = readFileSync(join(top, 'README.md'), 'utf8')

const blocks = (language: string, page = readme): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, text]) => (text ?? '').trim())

const section = (title: string): string => readme.split(/^## /m).find((text) => text.startsWith(title)) ?? ''

/** What a fresh clone will have: every file that is not ignored, and nothing that was installed or built. */
const freshClone = (): string => {
  const clone = mkdtempSync(join(tmpdir(), 'nexus-clone-'))
  for (const file of execFileSync('git', ['ls-files', '-coz', '--exclude-standard'], {
    cwd: top,
    encoding: 'utf8',
  }).split('\0')) {
    if (file === '' || !existsSync(join(top, file))) continue
    mkdirSync(dirname(join(clone, file)), { recursive: true })
    cpSync(join(top, file), join(clone, file))
  }
  return clone
}

const paste = (line: string, cwd: string, home: string) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', line], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: home, TURBO_TELEMETRY_DISABLED: '1' },
    encoding: 'utf8',
  })
  return { line, status, said: stdout + stderr }
}

test('the commands of the README work as pasted in a fresh clone, with an empty home', () => {
  const commands = blocks('bash')
  expect(commands.slice(0, 3)).toEqual(['npx --yes pnpm start', 'npx --yes pnpm test', 'npx --yes pnpm start:postgres'])
  const clone = freshClone()
  const home = mkdtempSync(join(tmpdir(), 'nexus-home-'))
  try {
    const start = paste(`${commands[0]} --once`, clone, home)
    expect(start.status, start.said).toBe(0)
    expect(start.said.match(/ filesystem +default +ok$/gm), start.said).toHaveLength(5)
    expect(start.said).toMatch(/task done/)

    const postgres = paste(`${commands[2]} --once`, clone, home)
    expect(postgres.status, postgres.said).toBe(0)
    expect(postgres.said.match(/ postgres +NEXUS_STORAGE_BACKEND +ok$/gm), postgres.said).toHaveLength(5)
    expect(postgres.said).toMatch(/postgresql:\/\/nexus:\S+@127\.0\.0\.1:\d+\//)

    const studio = paste('npx --yes pnpm studio', clone, home)
    expect(studio.status).not.toBe(0)
    expect(studio.said).toContain('NEXUS_STORAGE_DSN is not set')

    for (const program of ['host', 'admin']) {
      const help = paste(`node apps/${program}/dist/main.js --help`, clone, home)
      expect(help.status, help.said).toBe(0)
    }
    const status = paste('node apps/admin/dist/main.js status', clone, home)
    expect(status.status, status.said).toBe(0)
    expect(readdirSync(home).filter((name) => !name.startsWith('.'))).toEqual([])
  } finally {
    rmSync(clone, { recursive: true, force: true })
    rmSync(home, { recursive: true, force: true })
  }
})

const fiveMinutesMs = 300_000

test('from a fresh clone to an own command working on an own task, in five minutes', () => {
  const commands = blocks('bash', section('Your own project'))
  expect(commands).toHaveLength(3)
  const clone = freshClone()
  const home = mkdtempSync(join(tmpdir(), 'nexus-home-'))
  try {
    const begun = performance.now()
    const pasted = paste(commands.join('\n'), clone, home)
    const tookMs = performance.now() - begun
    expect(pasted.status, pasted.said).toBe(0)
    expect(pasted.said).toMatch(/^inbox +pending 0, processing 0, done 1, failed 0$/m)
    expect(pasted.said).toMatch(/^workflows +completed 1$/m)
    const told = readFileSync(join(clone, 'workspace/told-develop.md'), 'utf8')
    expect(told).toContain('The cart forgets its content.')
    const workflow = JSON.parse(
      readFileSync(join(clone, '.nexus/workflows/my-project-1-feature.json'), 'utf8'),
    ) as unknown
    expect(workflow).toMatchObject({
      state: 'completed',
      steps: [{ report: { summary: 'Written down.' } }, { report: { summary: 'Written down.' } }],
    })
    expect(existsSync(join(clone, '.nexus/tasks/my-project/closed/cart.md'))).toBe(true)
    expect(tookMs).toBeLessThan(fiveMinutesMs)
    process.stdout.write(`README: own command, own task, done after ${Math.round(tookMs / 1000)} s\n`)
  } finally {
    rmSync(clone, { recursive: true, force: true })
    rmSync(home, { recursive: true, force: true })
  }
})

test('the nexus.yaml of the README is one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-yaml-'))
  try {
    const [text = ''] = blocks('yaml')
    writeFileSync(join(folder, 'nexus.yaml'), text)
    mkdirSync(join(folder, 'shop'))
    const config = readHostConfig(join(folder, 'nexus.yaml'))
    expect([...config.projects.keys()]).toEqual(['shop'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
