import { z } from 'zod'
import { jsonText, type Line, lineText } from './line.ts'

/** What `--json` prints: `version` grows when a member changes its meaning, and members may be added without that. */
export const envelope = <S extends z.core.$ZodLooseShape>(shape: S) => z.object({ version: z.literal(1), ...shape })

/** A count, or a floor where counting on would cost more than it tells. */
export const CountShape = z.union([z.int(), z.object({ atLeast: z.int() })])

/** Every command that prints has it. */
export interface Json {
  json?: boolean
}

/** Data, for programs or a person. The lines are only made where they are wanted; how hostile their words are is no matter. */
export const print = <S extends z.ZodType>(
  { json = false }: Json,
  _schema: S,
  value: z.input<S>,
  lines: () => readonly Line[],
): void => {
  const shown = json ? jsonText(value, 2) : lines().map(lineText).join('\n')
  if (shown !== '') process.stdout.write(`${shown}\n`)
}

/** Lines for people: what is data goes to stdout alone. */
export const say = (text: string): void => void process.stderr.write(`${text.split('\n').map(lineText).join('\n')}\n`)

/** How wide a terminal is, in columns; null where the output is none. */
export const terminalWidth = (stream: { isTTY?: boolean; columns?: number } = process.stdout): number | null =>
  stream.isTTY ? (stream.columns ?? 80) : null
