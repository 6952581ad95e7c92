import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../check/program.ts'
import { sampleConfig } from '../config/sample.ts'
import { shownPath } from '../config/source.ts'
import { errorCode } from '../runner/durable-file.ts'
import { presets } from '../runner/presets.ts'
import { exit, UsageError } from './exit.ts'

export interface InitCommand {
  dir: string
  force?: boolean
  agent?: string
}

const project = 'my-project'
const workspace = 'workspace'

/** The first program of a preset that is here; claude where none is. */
const presetHere = (): string =>
  Object.entries(presets).find(([, { command }]) => findProgram(command[0] ?? '', []) !== null)?.[0] ?? 'claude'

/** A name that nothing has: what is there is put aside, not thrown away. */
const freeName = (file: string): string => {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? `${file}.old` : `${file}.old-${n}`
    if (!existsSync(name)) return name
  }
}

const quoted = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

/** How this program was started, to be pasted. */
const self = (script: string | undefined): string =>
  script?.endsWith('.js') ? `node ${quoted(shownPath(script))}` : 'nexus-host'

const nextSteps = (file: string, program: string): string => {
  const config = shownPath(file) === 'nexus.yaml' ? '' : ` --config ${quoted(shownPath(file))}`
  return [
    'Next:',
    `  Look at ${shownPath(file)}: which agents run, and in which folder. Then see what would run:`,
    `    ${program} check${config}`,
    '  Bring a task:',
    `    echo 'Write a haiku about queues.' | ${program} add ${project} haiku.md`,
    '  Work on it, and on whatever comes, until Ctrl-C:',
    `    ${program} run${config}`,
  ].join('\n')
}

/** `nexus-host init`: writes a first `nexus.yaml` and makes its workspace. Resolves with the exit code. */
export const init = async ({ dir, force = false, agent }: InitCommand): Promise<number> => {
  const file = join(dir, 'nexus.yaml')
  if (agent?.trim() === '') throw new UsageError('--agent needs a command: --agent "my-agent --yes"')
  await mkdir(dir, { recursive: true })
  const aside = force && existsSync(file) ? freeName(file) : null
  if (aside !== null) await rename(file, aside)
  const chosen = agent === undefined ? { preset: presetHere() } : { command: agent }
  try {
    await writeFile(file, sampleConfig({ project, workspace: `./${workspace}`, agent: chosen }), { flag: 'wx' })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    const advice = `Look at it with check, or add --force: that puts it aside as ${shownPath(freeName(file))}.`
    throw new UsageError(`${shownPath(file)} is there already. ${advice}`)
  }
  await mkdir(join(dir, workspace), { recursive: true })
  const kept = aside === null ? '' : `What was there is ${shownPath(aside)} now.\n`
  const wrote = `Wrote ${shownPath(file)} and made ${shownPath(join(dir, workspace))}.\n`
  process.stdout.write(`${wrote}${kept}\n${nextSteps(file, self(process.argv[1]))}\n`)
  return exit.ok
}
