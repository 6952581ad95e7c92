import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import { type Line, plain } from './line.ts'
import { terminalWidth } from './output.ts'

/** One column: its heading, and whether it gives way where the terminal is too narrow (the last ones first). */
export interface Column {
  heading: string
  shrinks?: boolean
}

const gap = '  '
/** Less says nothing. */
const leastWidth = 8

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)))

/** A cut through a wide character leaves one column too many. */
const cut = (text: string, width: number): string => {
  if (stringWidth(text) <= width) return text
  const shorter = cliTruncate(text, width)
  return stringWidth(shorter) <= width ? shorter : cliTruncate(text, width - 1)
}

/** Takes from the columns that give way, last first, what the line is too long. */
const fitted = (natural: readonly number[], columns: readonly Column[], width: number): number[] => {
  const widths = [...natural]
  let excess = widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1)) - width
  for (let index = widths.length - 1; index >= 0 && excess > 0; index -= 1) {
    if (!columns[index]?.shrinks) continue
    const own = widths[index] ?? 0
    const taken = Math.min(excess, Math.max(0, own - leastWidth))
    widths[index] = own - taken
    excess -= taken
  }
  return widths
}

/** Aligned columns with a heading; lines no longer than the terminal is wide, and whole where the output is none. */
export const table = (
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | null = terminalWidth(),
): Line[] => {
  const lines = [columns.map(({ heading }) => heading), ...rows.map((row) => row.map(plain))]
  const natural = columns.map((_, index) => Math.max(...lines.map((line) => stringWidth(line[index] ?? ''))))
  const widths = width === null ? natural : fitted(natural, columns, width)
  const [heading = '', ...body] = lines.map((line) => {
    const cells = line.map((cell, index) => {
      const own = widths[index] ?? 0
      return padded(width === null ? cell : cut(cell, own), own)
    })
    const text = cells.join(gap).trimEnd()
    return width === null ? text : cut(text, width)
  })
  return [[{ style: 'bold', text: heading }], ...body]
}

/** One record: a line for each member that says something. */
export const fields = (record: Readonly<Record<string, string | number | boolean | null>>): string[] => {
  const said = Object.entries(record).filter(([, value]) => value !== null && value !== '')
  const width = Math.max(0, ...said.map(([name]) => name.length))
  return said.map(([name, value]) => `${name.padEnd(width)}  ${plain(String(value))}`)
}
