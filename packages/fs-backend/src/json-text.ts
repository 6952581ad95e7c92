import { compactJson } from '@nexus/core'

const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

const isEnd = (char: string | undefined): boolean =>
  char === undefined || char === ',' || char === '}' || char === ']' || char === ':'

const scalarEnd = (text: string, from: number): number => {
  let at = from
  while (!isEnd(text[at])) at++
  return at
}

/** Beyond this, indenting could make a deep document a hundred times as long. */
const maxIndentWork = 64 * 1024 * 1024

/** Of compact text. */
const depthOf = (text: string): number => {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === 0x7b || char === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (char === 0x7d || char === 0x5d) depth--
  }
  return deepest
}

/** Whether compact text may be indented. */
export const isIndentable = (compact: string): boolean =>
  compact.length * 513 <= maxIndentWork || compact.length * depthOf(compact) <= maxIndentWork

/** Where the token ends that begins there in compact text, a bracket with nothing in it being one. */
const tokenEnd = (text: string, from: number): number => {
  const char = text[from]
  if (char === '"') return stringEnd(text, from)
  if (char !== '{' && char !== '[') return Math.max(from + 1, scalarEnd(text, from))
  const next = text[from + 1]
  return next === '}' || next === ']' ? from + 2 : from + 1
}

const indented = (text: string): string => {
  const pieces: string[] = []
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  for (let at = 0; at < text.length; ) {
    const end = tokenEnd(text, at)
    const token = text.slice(at, end)
    if (token === '{' || token === '[') depth++
    if (token === '}' || token === ']') {
      depth--
      pieces.push(line(), token)
    } else if (token === '{' || token === '[' || token === ',') pieces.push(token, line())
    else if (token === ':') pieces.push(': ')
    else pieces.push(token)
    at = end
  }
  return pieces.join('')
}

/** As the documented files have it: indented by two, a newline at the end; every number and string as it was written. */
export const indentJson = (text: string): string => {
  const compact = compactJson(text)
  return `${isIndentable(compact) ? indented(compact) : compact}\n`
}
