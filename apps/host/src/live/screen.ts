import { Writable } from 'node:stream'
import { createLogUpdate } from 'log-update'

/** The part of a terminal that is used. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize', listener: () => void): unknown
}

export interface Screen {
  /** Where the log goes: above the lines. */
  readonly log: Writable
  /** Draws these lines below the log from now on, every second anew. Returns the end of it, which removes them. */
  show(lines: (size: { columns: number; rows: number }) => string[]): () => void
}

const redrawMs = 1_000

/** Lines that stay at the bottom of a terminal. What changes goes out in one piece each time, so that nothing flickers. */
export const createScreen = (terminal: Terminal): Screen => {
  let out = ''
  let source: Parameters<Screen['show']>[0] | null = null
  const collected = new Writable({
    decodeStrings: false,
    write(text: string, _, done) {
      out += text
      done()
    },
  })
  // A terminal that does not know its size says that it has none.
  const size = () => ({ columns: terminal.columns || 80, rows: terminal.rows || 24 })
  Object.defineProperties(collected, { columns: { get: () => size().columns }, rows: { get: () => size().rows } })
  // The cursor stays: a process that is killed could not bring it back.
  const update = createLogUpdate(collected, { showCursor: true })

  const draw = (above = ''): void => {
    const lines = source?.(size()) ?? []
    if (above !== '' || lines.length === 0) update.clear()
    out += above
    if (lines.length > 0) update(lines.join('\n'))
    if (out === '') return
    terminal.write(out)
    out = ''
  }

  return {
    log: new Writable({
      decodeStrings: false,
      write(text: string, _, done) {
        draw(String(text))
        done()
      },
    }),
    show(lines) {
      source = lines
      const redraw = (): void => draw()
      const timer = setInterval(redraw, redrawMs)
      timer.unref()
      terminal.on('resize', redraw)
      redraw()
      return () => {
        clearInterval(timer)
        terminal.off('resize', redraw)
        source = null
        draw()
      }
    },
  }
}
