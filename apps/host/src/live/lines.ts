import { stripVTControlCharacters } from 'node:util'
import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import type { HeldTask } from '../loop/held.ts'

export interface LinesOptions {
  /** Epoch milliseconds. */
  now: number
  columns: number
  /** Lines at most. */
  most: number
  color: boolean
}

const two = (value: number): string => String(value).padStart(2, '0')

/** `12s`, `4m12s`, `1h04m`, `2d03h` */
export const durationText = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [minutes, hours, days] = [60, 3600, 86_400].map((unit) => Math.floor(seconds / unit)) as [
    number,
    number,
    number,
  ]
  if (days > 0) return `${days}d${two(hours % 24)}h`
  if (hours > 0) return `${hours}h${two(minutes % 60)}m`
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`
}

/** Agents' words must not steer a terminal, nor break the line, turn its direction, or be of a width that nobody knows. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()

const dim = (text: string, { color }: LinesOptions): string => (color ? `\u001b[2m${text}\u001b[22m` : text)

const nameOf = ({ project, issueNumber, filename }: HeldTask): string => plain(`${project}/${issueNumber ?? filename}`)

const line = (task: HeldTask, width: number, options: LinesOptions): string => {
  const { running, steps, progress } = task
  const name = nameOf(task).padEnd(width)
  if (running.length === 0) return `${name}  ${dim('between steps', options)}`
  const times = running.flatMap(({ since }) => (since === null ? [] : [since]))
  const parts = [
    name,
    `step ${running.map(({ number }) => number).join('+')} of ${steps}`,
    running.map(({ agent }) => plain(agent)).join('+'),
    ...(times.length > 0 ? [durationText(options.now - Math.min(...times))] : []),
    ...(progress === null ? [] : [dim(plain(progress), options)]),
  ]
  return parts.join('  ')
}

/** A cut through a wide character leaves one column too many. */
const fit = (text: string, columns: number): string => {
  const cut = cliTruncate(text, columns)
  return stringWidth(cut) <= columns ? cut : cliTruncate(text, columns - 1)
}

/** One line per task, none longer than the terminal is wide; the last one says how many more there are. */
export const liveLines = (tasks: readonly HeldTask[], options: LinesOptions): string[] => {
  const { columns, most } = options
  const shown = tasks.length > most ? tasks.slice(0, Math.max(0, most - 1)) : tasks
  const width = Math.max(0, ...shown.map((task) => nameOf(task).length))
  const lines = shown.map((task) => line(task, Math.min(width, 32), options))
  if (shown.length < tasks.length && most > 0) lines.push(dim(`… and ${tasks.length - shown.length} more`, options))
  return lines.map((text) => fit(text, columns))
}
