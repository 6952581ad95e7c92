import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createProgram } from '../src/program.ts'
import { type Ended, type Ground, grounds } from './admin.ts'

const cli = await createProgram()

const folder = fileURLToPath(new URL('../schema', import.meta.url))

/** The commands that do something, by their path; what only holds others is none. */
const walk = (command: Command, path: readonly string[] = []): (readonly [string, Command])[] =>
  command.commands.flatMap((child) => {
    const own = [...path, child.name()]
    return child.commands.length > 0 ? walk(child, own) : [[own.join(' '), child] as const]
  })

const commands = walk(cli.program)
const printing = [...cli.abouts].flatMap(([path, { prints }]) => (prints ? [[path, prints] as const] : []))

describe('every command', () => {
  test('says of itself what it does, with examples of itself, and has --json where it prints', () => {
    expect(commands.map(([path]) => path).sort()).toEqual([...cli.abouts.keys()].sort())
    for (const [path, command] of commands) {
      const about = cli.abouts.get(path)
      expect(about?.description, path).toMatch(/\.$/)
      for (const example of about?.examples ?? []) expect(example).toContain(`nexus-admin ${path.split(' ')[0]}`)
      expect(command.options.some(({ long }) => long === '--json')).toBe(about?.prints != null)
      for (const { flags, description } of command.options) expect(description, `${path} ${flags}`).not.toBe('')
    }
  })

  test('is there where its first word alone is loaded', async () => {
    const first = (path: string): string => path.split(' ')[0] ?? ''
    for (const word of new Set([...cli.abouts.keys()].map(first))) {
      const alone = await createProgram([word, '--json'])
      const found = [...alone.abouts.keys()].filter((path) => first(path) === word)
      expect(found).toEqual([...cli.abouts.keys()].filter((path) => first(path) === word))
    }
  })

  test('explains itself with --help, and exits 0', async () => {
    const { program } = await createProgram()
    for (const [path, command] of walk(program)) {
      const written: string[] = []
      command.configureOutput({ writeOut: (text) => void written.push(text) })
      const asked = program.parseAsync([...path.split(' '), '--help'], { from: 'user' })
      await expect(asked, path).rejects.toMatchObject({ exitCode: 0 })
      const shown = written.join('')
      expect(shown).toContain(`Usage: nexus-admin ${path}`)
      expect(shown).toContain(`Examples:\n  ${cli.abouts.get(path)?.examples[0]}\n`)
      expect(shown).toMatch(/^Exit codes: 0 /m)
    }
  })

  test('does so in the real program, which makes no root for that', async () => {
    await using ground = await grounds.files()
    for (const args of [[], ['inbox'], ['inbox', 'requeue']]) {
      const { status, stdout, stderr } = await ground.admin([...args, '--help'])
      expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' })
      expect(stdout).toContain(`Usage: ${['nexus-admin', ...args].join(' ')}`)
    }
    expect(existsSync(`${ground.folder}/.nexus`)).toBe(false)
  })

  test('what it prints with --json is published as a schema, which is made from the one it is written by', async () => {
    const names = printing.map(([path]) => `${path.replaceAll(' ', '-')}.json`)
    const present = readdirSync(folder).sort()
    for (const [path, schema] of printing) {
      const published = z.toJSONSchema(schema, { io: 'output' })
      await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(
        `${folder}/${path.replaceAll(' ', '-')}.json`,
      )
    }
    expect(present).toEqual(names.sort())
  })
})

test('a command that is not there is a usage error, and nothing on stdout', async () => {
  await using ground = await grounds.files()
  expect(await ground.admin(['nonsense'])).toMatchObject({ status: 2, stdout: '' })
  expect(await ground.admin(['workflow', 'list', '--what'])).toMatchObject({ status: 2, stdout: '' })
})

/** On a terminal of its own, 60 columns wide; the keys are typed when the question is there. */
const onTerminal = async ({ folder, env }: Ground, line: string, keys = ''): Promise<Ended> => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const command = `stty cols 60; exec '${process.execPath}' '${main}' ${line}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
  })
  const ended = once(child, 'close')
  let [stdout, isTyped] = ['', false]
  for await (const piece of child.stdout) {
    stdout += piece
    if (isTyped || !stdout.includes('[y/N]')) continue
    child.stdin.write(keys)
    isTyped = true
  }
  const [status] = await ended
  return { status, stdout, stderr: '' }
}

test('on a terminal a person is asked, tables fit it, and headings stand out unless NO_COLOR is set', async () => {
  await using ground = await grounds.files()
  const { admin } = ground
  for (const name of ['a', 'b'])
    await admin(['inbox', 'add', 'shop', '--filename', `${name.repeat(90)}.md`], { input: 'x' })
  const asked = (keys: string): Promise<Ended> => onTerminal(ground, 'inbox cancel --project shop', keys)
  for (const no of ['n\r', '\r', '\u0003', '\u0004']) expect((await asked(no)).status, JSON.stringify(no)).toBe(1)
  expect((await admin(['status'])).stdout).toMatch(/^inbox {6}pending 2,/m)

  const listed = (await onTerminal(ground, 'inbox')).stdout.split('\r\n').filter(Boolean)
  expect(listed[0]?.startsWith('\u001b[1mid ')).toBe(true)
  expect(listed.slice(1).map((line) => line.length <= 60 && line.includes('…'))).toEqual([true, true])
  const plain = await onTerminal({ ...ground, env: { ...ground.env, NO_COLOR: '1' } }, 'inbox')
  expect(plain.stdout).not.toContain('\u001b')
  const piped = await admin(['inbox'])
  expect(piped.stdout).not.toContain('\u001b')
  expect(piped.stdout).toContain(`${'a'.repeat(90)}.md`)
  expect((await admin(['inbox'], { env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[1mid')

  const yes = await asked('y\r')
  expect(yes.stdout).toContain('inbox cancel: 2 tasks? [y/N]')
  expect(yes.status).toBe(0)
  expect((await admin(['status'])).stdout).toMatch(/^inbox {6}pending 0, processing 0, done 0, failed 2$/m)
})
