import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createProgram } from '../src/program.ts'
import { understand } from './understand.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexus-admin-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The arguments that a shell hands to the program for these lines; a line may pipe, redirect and set variables. */
const typed = (lines: readonly string[]): string[][] => {
  for (const path of ['.zfunc', '.config/fish/completions']) mkdirSync(join(folder, path), { recursive: true })
  const seen = join(folder, 'seen')
  writeFileSync(seen, '')
  const program = `nexus-admin() { { printf '%s\\037' "$@"; printf '\\n'; } >>'${seen}'; }`
  const ran = spawnSync('bash', ['--norc', '-c', [program, ...lines].join('\n')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    encoding: 'utf8',
  })
  expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' })
  const calls = readFileSync(seen, 'utf8').split('\n').slice(0, -1)
  return calls.map((call) => call.split('\u001f').slice(0, -1))
}

test('every example of the help is understood by the command that shows it', async () => {
  for (const [path, { examples }] of createProgram().abouts)
    for (const [index, args] of typed(examples).entries()) {
      const names = path.split(' ')
      expect(args.slice(0, 1), examples[index]).toEqual(names.slice(0, 1))
      await expect(understand(createProgram().program, args), examples[index]).resolves.toBe(undefined)
    }
})

test('every line of the reference is understood', async () => {
  const text = readFileSync(new URL('../../../docs/admin.md', import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.trimEnd().split('\n'),
  )
  expect(blocks.length).toBeGreaterThan(30)
  const calls = typed(blocks)
  expect(calls).toHaveLength(blocks.length)
  for (const [index, args] of calls.entries())
    await expect(understand(createProgram().program, args), blocks[index]).resolves.toBe(undefined)
})
