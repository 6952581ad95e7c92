import { styleText } from 'node:util'
import { z } from 'zod'

/** What `--json` prints: `version` grows when a member changes its meaning, and members may be added without that. */
export const envelope = <S extends z.core.$ZodLooseShape>(shape: S) => z.object({ version: z.literal(1), ...shape })

/** A count, or a floor where counting on would cost more than it tells. */
export const CountShape = z.union([z.int(), z.object({ atLeast: z.int() })])

/** Every command that prints has it. */
export interface Json {
  json?: boolean
}

/** Data, for programs or a person. The text is only made where it is wanted. */
export const print = <S extends z.ZodType>(
  { json = false }: Json,
  _schema: S,
  value: z.input<S>,
  text: () => string,
): void => {
  const shown = json ? JSON.stringify(value, null, 2) : text()
  if (shown !== '') process.stdout.write(`${shown}\n`)
}

/** For people: what is data goes to stdout alone. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** How wide a terminal is, in columns; null where the output is none. */
export const terminalWidth = (stream: { isTTY?: boolean; columns?: number } = process.stdout): number | null =>
  stream.isTTY ? (stream.columns ?? 80) : null

type Style = Parameters<typeof styleText>[0]

/** Colored where stdout is a terminal, NO_COLOR is not set, or FORCE_COLOR is. */
export const styled = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })
