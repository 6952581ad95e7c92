import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { Machine } from './machine.ts'
import { growthPlot, marksPlot } from './plots.ts'
import type { Curve, Row } from './results.ts'
import { cells, figure, headings, markdownTable } from './table.ts'

/** What one run of benches found. */
export interface Findings {
  schema: 1
  at: string
  machine: Machine
  rows: readonly Row[]
  curves: readonly Curve[]
}

/** By bench, what its latest run found. */
type Kept = Record<string, Findings>

const docs = new URL('../docs/', import.meta.url)
const page = new URL('performance.md', docs)
const keptFile = new URL('performance/measured.json', docs)
const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->']

const readKept = async (): Promise<Kept> => {
  const text = await readFile(keptFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return JSON.parse(text)
}

const byBench = ({ rows, curves, ...rest }: Findings): Kept =>
  Object.fromEntries(
    [...new Set([...rows, ...curves].map(({ bench }) => bench))].map((name) => [
      name,
      {
        ...rest,
        rows: rows.filter(({ bench }) => bench === name),
        curves: curves.filter(({ bench }) => bench === name),
      },
    ]),
  )

const machineText = ({ processors, memory, system, versions }: Machine): string =>
  [`${system}, ${processors}, ${memory}`, ...Object.entries(versions).map((pair) => pair.join(' '))].join('; ')

/** Benches that ran on the same machine with the same versions share a line. */
const machines = (kept: Kept): string[] => {
  const lines = new Map<string, string[]>()
  for (const [name, { machine }] of Object.entries(kept)) {
    const text = machineText(machine)
    lines.set(text, [...(lines.get(text) ?? []), name])
  }
  return [...lines].map(([text, names]) => (lines.size === 1 ? `${text}.` : `${text} (${names.join(', ')}).`))
}

const table = (kept: Kept): string => {
  const rows = Object.entries(kept).flatMap(([name, { at, rows }]) =>
    rows.map((row) => [...cells(row), `\`${name}\`, ${at.slice(0, 10)}`]),
  )
  const head = [...headings, '`pnpm bench`']
  return markdownTable([head, head.map(() => '---'), ...rows])
}

const growthTable = (curves: readonly Curve[]): string => {
  const sizes = [...new Set(curves.flatMap(({ points }) => points.map(({ records }) => records)))].toSorted(
    (a, b) => a - b,
  )
  const head = ['', ...sizes.map((size) => size.toLocaleString('en-US'))]
  const rows = curves.map(({ curve, unit, points }) => [
    `${curve}, ${unit}`,
    ...sizes.map((size) => {
      const value = points.find(({ records }) => records === size)?.value
      return value === undefined ? '–' : figure(value)
    }),
  ])
  return markdownTable([head, head.map(() => '---'), ...rows])
}

const measured = (kept: Kept): string => {
  const curves = Object.values(kept).flatMap((each) => each.curves)
  const growth =
    curves.length === 0
      ? []
      : ['## As records grow', '![Cost by records held](performance/growth.svg)', growthTable(curves)]
  return [
    ...machines(kept),
    table(kept),
    '![How many times each mark is reached](performance/marks.svg)',
    ...growth,
  ].join('\n\n')
}

/** Puts what was measured in the place of what the same benches found before. */
export const writePage = async (found: Findings): Promise<void> => {
  const all = { ...(await readKept()), ...byBench(found) }
  const kept: Kept = Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => a.localeCompare(b)))
  const text = await readFile(page, 'utf8')
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before === -1 || after === -1) throw new Error(`docs/performance.md has lost its "${begin}" or "${end}".`)
  await mkdir(new URL('performance/', docs), { recursive: true })
  await writeFile(keptFile, `${JSON.stringify(kept, null, 2)}\n`)
  await writeFile(new URL('performance/marks.svg', docs), marksPlot(Object.values(kept).flatMap(({ rows }) => rows)))
  const curves = Object.values(kept).flatMap((each) => each.curves)
  if (curves.length > 0) await writeFile(new URL('performance/growth.svg', docs), growthPlot(curves))
  await writeFile(page, `${text.slice(0, before + begin.length)}\n\n${measured(kept)}\n\n${text.slice(after)}`)
}
