import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { usageError } from './exit.ts'

/** How a change is confirmed: `--yes` does without a question. */
export interface Confirm {
  yes?: boolean
}

/** Asks a person on the terminal; without one, and without `--yes`, nothing is done. */
export const confirmed = async (question: string, { yes = false }: Confirm): Promise<boolean> => {
  if (yes) return true
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw usageError(
      `${question}\nNobody can be asked here: repeat it with --yes, or with --dry-run to look at it only.`,
    )
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl-C and the end of the input close it, and leave the question unanswered for ever.
    const left = once(asking, 'close').then(() => '')
    const answer = await Promise.race([asking.question(`${question} [y/N] `), left])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    asking.close()
  }
}
