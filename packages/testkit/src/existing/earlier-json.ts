/** A value as the earlier implementation writes it. */
export type EarlierValue = string | number | boolean | null | EarlierValue[] | { [member: string]: EarlierValue }

const ascii = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const joined = (parts: string[], [open, close]: readonly [string, string], indent: string, width: number): string => {
  if (parts.length === 0) return open + close
  if (width === 0) return open + parts.join(', ') + close
  const inner = indent + ' '.repeat(width)
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`
}

const written = (value: EarlierValue, width: number, indent: string): string => {
  const inner = indent + ' '.repeat(width)
  if (Array.isArray(value))
    return joined(
      value.map((item) => written(item, width, inner)),
      ['[', ']'],
      indent,
      width,
    )
  if (value !== null && typeof value === 'object')
    return joined(
      Object.entries(value).map(([name, member]) => `${ascii(name)}: ${written(member, width, inner)}`),
      ['{', '}'],
      indent,
      width,
    )
  return typeof value === 'string' ? ascii(value) : JSON.stringify(value)
}

/** In a column: one line, blanks after `,` and `:`, non-ASCII as escapes. */
export const columnJson = (value: EarlierValue): string => written(value, 0, '')

/** In a file: indented by two, non-ASCII as escapes. */
export const fileJson = (value: EarlierValue): string => written(value, 2, '')
