import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from '../cli/exit.ts'

/** A text in a person's editor. */
export interface Edited {
  text: string
  /** Where it lies, until `discard`: what could not be used is not lost. */
  file: string
  discard(): Promise<void>
}

/** The line that starts an editor, as a shell reads it. */
const editorOf = (env: NodeJS.ProcessEnv): string => env['VISUAL']?.trim() || env['EDITOR']?.trim() || 'vi'

const runEditor = (editor: string, file: string): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    child.on('error', reject)
    child.on('close', resolve)
  })

/** Opens $VISUAL or $EDITOR on a file that only this user can read. */
export const editText = async (text: string, name: string, env = process.env): Promise<Edited> => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-admin-'))
  const file = join(folder, name)
  const discard = (): Promise<void> => rm(folder, { recursive: true, force: true })
  await writeFile(file, text, { mode: 0o600 })
  const editor = editorOf(env)
  const code = await runEditor(editor, file)
  if (code !== 0) {
    await discard()
    throw new CommandError(
      'failed',
      `The editor ended with ${code}, and nothing was changed: ${editor}. EDITOR names another one.`,
    )
  }
  return { text: await readFile(file, 'utf8'), file, discard }
}
