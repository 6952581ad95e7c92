import { systemClock } from '@nexus/core'
import cliProgress from 'cli-progress'
import { lineText } from '../cli/line.ts'

/** How far one part of the work is. Disposing it leaves the terminal as it was, wherever the work broke off. */
export interface Progress extends Disposable {
  /** `total` null: nobody knows. */
  begin(what: string, total: number | null): void
  add(records: number): void
  /** Ends the part. */
  end(): void
  /** A line for people, between the parts. */
  say(text: string): void
}

/** Without a terminal, so often a line says how far it is, in milliseconds. */
const lineMs = 5_000

const secondsText = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

interface Reached {
  what: string
  done: number
  total: number | null
  seconds: number
}

const progressText = ({ what, done, total, seconds }: Reached): string => {
  const rate = seconds > 0 ? done / seconds : 0
  const left = total !== null && rate > 0 && done < total ? `, ${secondsText((total - done) / rate)} left` : ''
  return `${what}: ${done}${total === null ? '' : ` of ${total}`} records, ${Math.round(rate)}/s${left}`
}

interface Stream {
  isTTY?: boolean
  write(text: string): unknown
}

const lines = (stream: Stream, now: () => number): Progress => {
  let part: { what: string; total: number | null; since: number; done: number; told: number } | null = null
  const say = (text: string): void => void stream.write(`${lineText(text)}\n`)
  const tell = (): void => {
    if (!part) return
    part.told = now()
    say(progressText({ ...part, seconds: (now() - part.since) / 1000 }))
  }
  return {
    say,
    begin(what, total) {
      part = { what, total, since: now(), done: 0, told: now() }
    },
    add(records) {
      if (!part) return
      part.done += records
      if (now() - part.told >= lineMs) tell()
    },
    end() {
      tell()
      part = null
    },
    [Symbol.dispose]() {
      part = null
    },
  }
}

const bars = (stream: NodeJS.WriteStream, now: () => number): Progress => {
  let bar: cliProgress.SingleBar | null = null
  let part: { what: string; since: number; done: number; total: number | null } | null = null
  const say = (text: string): void => void stream.write(`${lineText(text)}\n`)
  return {
    say,
    begin(what, total) {
      part = { what, since: now(), done: 0, total }
      bar = new cliProgress.SingleBar({
        stream,
        clearOnComplete: true,
        hideCursor: true,
        format: `{bar} {line}`,
        barsize: 20,
      })
      bar.start(total || 1, 0, { line: what })
    },
    add(records) {
      if (!part) return
      part.done += records
      bar?.update(Math.min(part.done, part.total ?? 0), {
        line: progressText({ ...part, seconds: (now() - part.since) / 1000 }),
      })
    },
    end() {
      bar?.stop()
      if (part) say(progressText({ ...part, seconds: (now() - part.since) / 1000 }))
      bar = null
      part = null
    },
    [Symbol.dispose]() {
      // Its timer would keep the program alive, and the cursor hidden.
      bar?.stop()
      bar = null
      part = null
    },
  }
}

/** On a terminal a bar with rate and remaining time, elsewhere a line every few seconds. */
const createProgress = (stream: NodeJS.WriteStream, now: () => number): Progress =>
  stream.isTTY ? bars(stream, now) : lines(stream, now)

/** Work that says on stderr how far it is. */
export const withProgress = async <T>(work: (progress: Progress) => Promise<T>): Promise<T> => {
  using progress = createProgress(process.stderr, systemClock.monotonic)
  return await work(progress)
}
