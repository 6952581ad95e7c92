/** A terminal as far as these sequences go: lines, a cursor, and what stands there. */
export const createTerminal = () => {
  const state = { writes: 0, rows: [''], row: 0, column: 0, colors: 0 }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a terminal reads
  const sequence = /\u001b\[(\??)([\d;]*)([A-Za-z])/y
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the same
  const cutOff = /\u001b(\[[?\d;]*)?$/
  let rest = ''
  const put = (text: string): void => {
    const line = (state.rows[state.row] ?? '').padEnd(state.column)
    state.rows[state.row] = line.slice(0, state.column) + text + line.slice(state.column + text.length)
    state.column += text.length
  }
  const steer = (letter: string, count: number): void => {
    if (letter === 'A') state.row -= count
    else if (letter === 'B') state.row += count
    else if (letter === 'G') state.column = 0
    else if (letter === 'K')
      state.rows[state.row] = count === 2 ? '' : (state.rows[state.row] ?? '').slice(0, state.column)
    else if (letter === 'm') state.colors += 1
    else throw new Error(`not known here: ${letter}`)
  }
  return {
    state,
    columns: 40,
    rows: 10,
    shown: () => state.rows.join('\n').trimEnd().split('\n'),
    on() {},
    off() {},
    write(given: string) {
      state.writes += 1
      // A sequence may come in two pieces.
      const whole = rest + given
      rest = cutOff.exec(whole)?.[0] ?? ''
      const text = whole.slice(0, whole.length - rest.length)
      for (let at = 0; at < text.length; at += 1) {
        sequence.lastIndex = at
        const [found, isPrivate, count = '', letter = ''] = sequence.exec(text) ?? []
        if (found !== undefined) {
          if (isPrivate) throw new Error('the cursor is not to be hidden')
          steer(letter, count === '' ? (letter === 'K' ? 0 : 1) : Number(count))
          at += found.length - 1
        } else if (text[at] === '\n') {
          state.row += 1
          state.column = 0
          state.rows[state.row] ??= ''
        } else if (text[at] === '\r') state.column = 0
        else put(text[at] ?? '')
      }
    },
  }
}
