import { setTimeout as delay } from 'node:timers/promises'
import { usageError } from '../cli/exit.ts'
import { jsonText, type Line, lineText } from '../cli/line.ts'
import type { Json } from '../cli/output.ts'

/** One look, for programs and for a person. */
export interface View {
  value: object
  lines: readonly Line[]
}

/** Seconds between two looks, as they were typed. */
export const readSeconds = (text: string): number => {
  const seconds = Number(text)
  if (Number.isFinite(seconds) && seconds >= 0.1 && seconds <= 3600) return seconds
  throw usageError(`--watch ${text}: a number of seconds from 0.1 to 3600 is needed.`)
}

/** Shows the latest lines in place of those before; without a terminal, each that differs from the one before it. */
const openDisplay = async () => {
  const { stdout } = process
  if (stdout.isTTY) {
    const { createScreen } = await import('@nexus/host/look')
    let lines: string[] = []
    let end = (): void => {}
    const screen = createScreen(stdout)
    return {
      show(latest: string[]): void {
        const isFirst = lines.length === 0
        lines = latest
        if (isFirst) end = screen.show(({ rows }) => lines.slice(0, Math.max(1, rows - 1)))
      },
      /** What was seen last stays where it is read. */
      end(): void {
        end()
        if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`)
      },
    }
  }
  let last = ''
  return {
    show(lines: string[]): void {
      const text = lines.join('\n')
      if (text !== last) stdout.write(last === '' ? `${text}\n` : `\n${text}\n`)
      last = text
    },
    end(): void {},
  }
}

/** With `--json`: an object a line for each look that differs from the one before. */
const openLines = () => {
  let last = ''
  return {
    show([line = '']: string[]): void {
      if (line !== last) process.stdout.write(`${line}\n`)
      last = line
    },
    end(): void {},
  }
}

/** Looks again and again, until Ctrl-C or SIGTERM, which end it in good order. */
export const watch = async (look: () => Promise<View>, seconds: number, { json = false }: Json): Promise<void> => {
  const ending = new AbortController()
  const end = (): void => ending.abort()
  process.once('SIGINT', end).once('SIGTERM', end)
  const display = json ? openLines() : await openDisplay()
  try {
    while (!ending.signal.aborted) {
      const { value, lines } = await look()
      display.show(json ? [jsonText(value)] : lines.map(lineText))
      await delay(seconds * 1000, undefined, { signal: ending.signal }).catch(() => {})
    }
  } finally {
    display.end()
    process.off('SIGINT', end).off('SIGTERM', end)
  }
}
