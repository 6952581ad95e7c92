import type { LogFields, Logger, LogLevel } from '@nexus/core'
import { type DestinationStream, pino } from 'pino'
import { PinoPretty } from 'pino-pretty'

export interface LogOptions {
  /** `json`: one object a line, for programs. `pretty`: for a person. */
  format: 'json' | 'pretty'
  color: boolean
  level: LogLevel
  destination: NodeJS.WritableStream
}

const shown = (value: unknown): string => {
  const text = String(value)
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text)
}

/** Fields that a person need not see on a line. */
const quiet: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'attempt', 'task', 'workflow'])

const messageLine = (log: Record<string, unknown>): string => {
  const fields = Object.entries(log)
    .filter(([name, value]) => !quiet.has(name) && value !== null)
    .map(([name, value]) => `${name}=${shown(value)}`)
  return [String(log['msg']).padEnd(16), ...fields].join(' ').trimEnd()
}

const prettyStream = ({ color, destination }: LogOptions): DestinationStream =>
  PinoPretty({
    colorize: color,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname',
    hideObject: true,
    messageFormat: messageLine,
    destination,
    sync: true,
  })

/** The program's log. Only this file knows the library. */
export const createLogger = (options: LogOptions): Logger => {
  const { format, level, destination } = options
  const stream = format === 'pretty' ? prettyStream(options) : destination
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
  const at =
    (name: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}): void =>
      log[name](fields, message)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
