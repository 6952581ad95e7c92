import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** What a shell hands to the program for a line. */
export interface Typed {
  args: string[]
  input: string
}

/** The calls that a shell makes of these lines, each typed in this folder; a line may pipe, redirect and set variables. */
export const typed = (folder: string, lines: readonly string[]): Typed[] => {
  for (const path of ['.zfunc', '.config/fish/completions']) mkdirSync(join(folder, path), { recursive: true })
  const seen = join(folder, '.seen')
  writeFileSync(seen, '')
  const program = `nexus-admin() { { printf '%s\\037' "$@"; printf '\\036'; cat; printf '\\035'; } >>'${seen}'; }`
  const ran = spawnSync('bash', ['--norc', '-c', [program, ...lines].join('\n')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    encoding: 'utf8',
    input: '',
  })
  expect(ran).toMatchObject({ status: 0, stdout: '', stderr: '' })
  const calls = readFileSync(seen, 'utf8').split('\u001d').slice(0, -1)
  return calls.map((call) => {
    const [words = '', input = ''] = call.split('\u001e')
    return { args: words.split('\u001f').slice(0, -1), input }
  })
}
