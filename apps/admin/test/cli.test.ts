import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createProgram } from '../src/program.ts'
import { grounds } from './admin.ts'

const cli = createProgram()

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

  test('explains itself with --help, and exits 0', async () => {
    const { program } = createProgram()
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
