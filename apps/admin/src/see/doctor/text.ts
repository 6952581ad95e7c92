import { type Line, plain } from '../../cli/line.ts'
import type { Diagnosis } from './diagnosis.ts'
import { counted } from './finding.ts'

type Row = Diagnosis['checks'][number]

const colors = { ok: 'green', warn: 'yellow', fail: 'red' } as const

const rowText = ({ name, status, message, detail, fix }: Row, width: number): Line[] => [
  [{ style: colors[status], text: status.padEnd(4) }, `  ${name.padEnd(width)}  ${plain(message)}`],
  ...detail.map((line) => `      ${plain(line)}`),
  ...(fix === null ? [] : [`      → ${plain(fix)}`]),
]

/** What `doctor` says to a person: what is wrong with what to do, and the rest in a line each. */
export const diagnosisText = ({ checks, mended }: Diagnosis): Line[] => {
  const width = Math.max(0, ...checks.map(({ name }) => name.length))
  const number = (status: Row['status']): number => checks.filter((row) => row.status === status).length
  const isSafe = checks.some(({ status, safe }) => status !== 'ok' && safe)
  return [
    ...checks.flatMap((row) => rowText(row, width)),
    '',
    `${counted(checks.length, 'check')}: ${number('ok')} ok, ${number('warn')} to look at, ${number('fail')} failed.`,
    ...(mended.length > 0 ? [`Mended: ${mended.join(', ')}.`] : []),
    ...(isSafe ? ['Mend what can be mended safely: nexus-admin doctor --fix'] : []),
  ]
}
