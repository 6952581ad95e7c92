import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import type { AgentConfig } from '../../src/config/host-config.ts'
import { readHostConfig } from '../../src/config/read.ts'
import { agentEnvironment } from '../../src/runner/index.ts'
import { presetNames, presets } from '../../src/runner/presets.ts'
import { useRuns } from './harness.ts'

const runs = useRuns()

/** A program of that name, first on PATH, that writes down how it was started. */
const standIn = `#!${process.execPath}
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const { basename, dirname } = require('node:path')
const argv = [basename(process.argv[1]), ...process.argv.slice(2)]
const mayReport = existsSync(dirname(process.env.NEXUS_COMPLETION_FILE))
writeFileSync('started.json', JSON.stringify({ argv, stdin: readFileSync(0, 'utf8'), env: process.env, mayReport }))
`

interface StartedAs {
  argv: string[]
  stdin: string
  env: Record<string, string>
  /** Whether the folder of its summary was there. */
  mayReport: boolean
}

const host: NodeJS.ProcessEnv = {
  ...Object.fromEntries(['PATH', 'HOME', 'TMPDIR'].map((name) => [name, process.env[name]])),
  NEXUS_STORAGE_DSN: 'postgresql://u:secret@h/d',
  AWS_SECRET_ACCESS_KEY: 'no',
  ANTHROPIC_API_KEY: 'of claude',
  CODEX_HOME: '/of/codex',
  GEMINI_API_KEY: 'of gemini',
  GH_TOKEN: 'of copilot',
  HTTPS_PROXY: 'http://proxy',
}

/** Starts an agent of nexus.yaml as a host does, on stand-ins. */
const start = async (members: string, prompt: string): Promise<StartedAs> => {
  const bin = join(runs.root, 'bin')
  await mkdir(bin, { recursive: true })
  for (const name of presetNames) {
    await writeFile(join(bin, name), standIn)
    await chmod(join(bin, name), 0o755)
  }
  const file = join(runs.root, 'nexus.yaml')
  const step = '{ id: one, agent_type: developer }'
  await writeFile(
    file,
    `projects: { shop: { workspace: . } }\nagents: { developer: ${members} }\nworkflows: { chain: { steps: [${step}] } }\n`,
  )
  const agent = readHostConfig(file).agents.get('developer') as AgentConfig
  const given = { NEXUS_COMPLETION_FILE: join(runs.root, 'summaries', 'completion_summary_1.json') }
  const inherited = agentEnvironment(host, given, agent.env)
  const env = { ...agent.variables, ...inherited, PATH: `${bin}${delimiter}${host['PATH']}` }
  const runner = runs.open()
  const spec = { ...runs.spec(agent.command, { prompt, env }), promptForm: agent.prompt }
  await runner.launch(spec)
  expect(await runner.waitForEnd(spec.attempt)).toMatchObject({ code: 0, reason: 'exited' })
  const started: StartedAs = JSON.parse(await readFile(join(runs.root, 'started.json'), 'utf8'))
  expect(started.mayReport).toBe(true)
  expect(started.env['NEXUS_PROMPT_FILE']).toBe(runner.folder(spec.attempt).prompt)
  expect(await readFile(runner.folder(spec.attempt).prompt, 'utf8')).toBe(prompt)
  const places = (argument: string) =>
    argument.replace(runner.folder(spec.attempt).folder, '<run>').replace(runs.root, '<root>')
  return { ...started, argv: started.argv.map(places) }
}

const foreignKeys = ['ANTHROPIC_API_KEY', 'CODEX_HOME', 'GEMINI_API_KEY', 'GH_TOKEN']
const prompt = '- Do "this" {prompt_file} $HOME\n\nand that.\n'

test.each([
  ['claude', ['--add-dir', '<root>/summaries', '-p', '--permission-mode', 'acceptEdits'], 'ANTHROPIC_API_KEY'],
  [
    'codex',
    ['exec', '--sandbox', 'workspace-write', '--skip-git-repo-check', '--add-dir', '<root>/summaries'],
    'CODEX_HOME',
  ],
  ['gemini', ['--approval-mode', 'auto_edit', '--include-directories', '<root>/summaries'], 'GEMINI_API_KEY'],
])('[RUN] %s is started without a person, with its prompt on standard input', async (name, argv, key) => {
  const started = await start(`{ preset: ${name}, args: [--model, 'my model'] }`, prompt)
  expect(started.argv).toEqual([name, ...argv, '--model', 'my model'])
  expect(started.stdin).toBe(prompt)
  expect(foreignKeys.filter((found) => found in started.env)).toEqual([key])
  expect(started.env).toMatchObject({ HTTPS_PROXY: 'http://proxy' })
  expect(started.env).not.toHaveProperty('AWS_SECRET_ACCESS_KEY')
  expect(started.env).not.toHaveProperty('NEXUS_STORAGE_DSN')
  expect(started.env['GEMINI_CLI_TRUST_WORKSPACE']).toBe(name === 'gemini' ? 'true' : undefined)
})

test('[RUN] the page on agents shows each as it is started', async () => {
  const page = await readFile(new URL('../../../../docs/agents.md', import.meta.url), 'utf8')
  for (const name of presetNames) {
    const { command, prompt: form, variables } = presets[name]
    const more = Object.entries(variables).map((pair) => `, with \`${pair.join('=')}\``)
    expect(page).toContain(`| \`${name}\` | \`${command.join(' ')}\`${more.join('')} | ${form} |`)
  }
  const [, agents = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const file = join(runs.root, 'nexus.yaml')
  const rest =
    'projects: { shop: { workspace: . } }\nworkflows: { chain: { steps: [{ id: one, agent_type: tester }] } }\n'
  await writeFile(file, agents + rest)
  const read = [...readHostConfig(file).agents].map(([role, { prompt: form }]) => [role, form])
  expect(read).toEqual([
    ['developer', 'stdin'],
    ['triage', 'stdin'],
    ['reviewer', 'argument'],
    ['tester', 'argument'],
  ])
})

const copilot = ['--allow-tool=write', '--no-ask-user', '--add-dir=<root>/summaries', '--add-dir=<run>']

test('[RUN] copilot is started without a person, with its prompt as an argument', async () => {
  const started = await start(`{ preset: copilot, args: ['--allow-tool=shell(npm:*)'], env: [CODEX_HOME] }`, prompt)
  expect(started.argv).toEqual(['copilot', '-p', prompt, ...copilot, '--allow-tool=shell(npm:*)'])
  expect(started.stdin).toBe('')
  expect(foreignKeys.filter((found) => found in started.env)).toEqual(['CODEX_HOME', 'GH_TOKEN'])
})

test('[RUN] a prompt too long for an argument is named by its file', async () => {
  const long = 'x'.repeat(128 * 1024)
  const started = await start('{ preset: copilot }', long)
  expect(started.argv).toEqual(['copilot', '-p', 'Read the file <run>/prompt.md and do what it says.', ...copilot])
})

test('[RUN] the longest argument that Linux takes is handed over whole', async () => {
  const longest = 'x'.repeat(128 * 1024 - 1)
  expect((await start('{ preset: copilot }', longest)).argv[2]).toBe(longest)
})

test('[RUN] a line for the shell gets its prompt as $1, whatever it says', async () => {
  const hostile = `"; touch pwned; ' $(touch pwned) \`touch pwned\` \\\n`
  const started = await start(`{ command: 'codex -m "$1" last', prompt: argument }`, hostile)
  expect(started.argv).toEqual(['codex', '-m', hostile, 'last'])
  await expect(readFile(join(runs.root, 'pwned'))).rejects.toThrow('ENOENT')
})

test('[RUN] a command may read its prompt from the file', async () => {
  const started = await start(`{ command: [codex, '--in={prompt_file}'] }`, prompt)
  expect(started.argv).toEqual(['codex', '--in=<run>/prompt.md'])
  expect(started.stdin).toBe('')
  const line = await start(`{ command: 'codex "$(cat "$NEXUS_PROMPT_FILE")"', prompt: file }`, 'from the file')
  expect(line.argv).toEqual(['codex', 'from the file'])
})
