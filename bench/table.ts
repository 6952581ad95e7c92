import { type Mark, type Row, reachOf, type Spread } from './results.ts'

/** Three figures say enough. */
export const figure = (value: number): string => {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value === 0 ? '0' : String(Number(value.toPrecision(3)))
}

const spread = ({ median, low, high }: Spread): string => `${figure(median)} (${figure(low)}–${figure(high)})`

const markText = (mark: Mark): string => ('atLeast' in mark ? `≥ ${mark.atLeast}` : `≤ ${mark.atMost}`)

const verdict = (row: Row): string => {
  const reach = reachOf(row)
  if (reach === null) return ''
  return reach >= 1 ? 'reached' : 'missed'
}

export const headings = ['what', 'ours', 'beside', 'ratio', 'mark', '']

/** A row in words, one for each heading. */
export const cells = (row: Row): string[] => {
  const { figures, unit, ratio, mark, against } = row
  const { ours, ...others } = figures
  const beside = Object.entries(others).map(([name, { median }]) => `${name} ${figure(median)}`)
  return [
    row.row,
    `${ours ? figure(ours.median) : '–'} ${unit}`,
    beside.join(', ') || '–',
    ratio ? `${spread(ratio)}${beside.length > 1 ? ` × ${against}` : ''}` : '–',
    mark ? markText(mark) : '–',
    verdict(row),
  ]
}

/** Aligned lines for a terminal. */
export const textTable = (rows: readonly Row[]): string => {
  const lines = [headings, ...rows.map(cells)]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export const markdownTable = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
