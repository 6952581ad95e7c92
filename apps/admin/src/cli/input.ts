import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { usageError } from './exit.ts'

/** Stands for standard input where a file may be named. */
export const standardInput = '-'

/** The text of a file, or of standard input. */
export const readInput = async (file: string): Promise<string> => {
  if (file === standardInput) {
    if (process.stdin.isTTY) throw usageError('Name a file, or give the text on standard input.')
    return text(process.stdin)
  }
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw usageError(`${file} cannot be read (${code}).`)
  }
}
