import { invalid } from './errors.ts'
import type { StatePatch } from './host-state.ts'
import type { JsonValue } from './json.ts'
import { isJsonObject, parseJson } from './json.ts'
import { maxTextBytes } from './text.ts'

/** One member of the outermost object, as offsets into the text: `"key"` from `start`, its value up to `end`. */
interface Member {
  key: string
  index: number
  start: number
  keyEnd: number
  valueStart: number
  end: number
}

const isBlank = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\n' || char === '\r'

const skipBlanks = (text: string, from: number): number => {
  let at = from
  while (isBlank(text[at])) at++
  return at
}

const stringEnd = (text: string, from: number): number => {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Whether an odd number of backslashes stands before it. */
const isEscaped = (text: string, at: number): boolean => {
  let before = at
  while (text[before - 1] === '\\') before--
  return (at - before) % 2 === 1
}

/** The same as `stringEnd`, for strings that are mostly long and have few quotes. */
const quoteEnd = (text: string, from: number): number => {
  let at = text.indexOf('"', from + 1)
  while (isEscaped(text, at)) at = text.indexOf('"', at + 1)
  return at + 1
}

/** JSON text without a BOM and without the white space that says nothing; everything else as it was written. */
export const compactJson = (text: string): string => {
  let copied = text.startsWith('\uFEFF') ? 1 : 0
  let compact = ''
  for (let at = copied; at < text.length; ) {
    const quote = text.indexOf('"', at)
    const outside = quote < 0 ? text.length : quote
    for (; at < outside; at++)
      if (isBlank(text[at])) {
        compact += text.slice(copied, at)
        copied = at + 1
      }
    if (quote >= 0) at = quoteEnd(text, quote)
  }
  return copied === 0 ? text : compact + text.slice(copied)
}

/** Where the value at `from` ends. The text is known to be JSON, so only strings and brackets need to be told apart. */
const valueEnd = (text: string, from: number): number => {
  let depth = 0
  let at = from
  do {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at)
    else {
      if (char === '{' || char === '[') depth++
      if (char === '}' || char === ']') depth--
      at++
    }
  } while (depth > 0)
  const first = text[from]
  if (first !== '"' && first !== '{' && first !== '[') while (at < text.length && !/[\s,}\]]/.test(text[at] ?? '')) at++
  return at
}

const readMembers = (text: string, open: number): { members: Member[]; close: number } => {
  const members: Member[] = []
  let at = skipBlanks(text, open + 1)
  while (text[at] !== '}') {
    const keyEnd = stringEnd(text, at)
    const valueStart = skipBlanks(text, skipBlanks(text, keyEnd) + 1)
    const end = valueEnd(text, valueStart)
    const key = JSON.parse(text.slice(at, keyEnd)) as string
    members.push({ key, index: members.length, start: at, keyEnd, valueStart, end })
    at = skipBlanks(text, end)
    if (text[at] === ',') at = skipBlanks(text, at + 1)
  }
  return { members, close: at }
}

/** How the text lays out its members, so that a new one looks like the others. */
interface Style {
  beforeFirst: string
  between: string
  colon: string
  indent: string
}

const styleOf = (text: string, open: number, close: number, members: readonly Member[]): Style => {
  const [first, second] = members
  const beforeFirst = first ? text.slice(open + 1, first.start) : ''
  const newline = beforeFirst.lastIndexOf('\n')
  return {
    beforeFirst: first ? beforeFirst : text.slice(open + 1, close),
    between: first && second ? text.slice(first.end, second.start) : `,${beforeFirst}`,
    colon: first ? text.slice(first.keyEnd, first.valueStart) : ':',
    indent: newline < 0 ? '' : beforeFirst.slice(newline + 1),
  }
}

/** A line break stands in JSON only between tokens, never in a string, so every one may be indented further. */
const written = (value: JsonValue, { indent }: Style): string =>
  indent === '' ? JSON.stringify(value) : JSON.stringify(value, null, indent).replaceAll('\n', `\n${indent}`)

export type PatchedText = { ok: true; text: string } | { ok: false; reason: 'not-object' | 'corrupt' }

/**
 * Sets and removes members of the object that the text holds; everything else keeps its source text: numbers beyond
 * 2^53, escapes, order, blanks, a BOM. A named member that stands there twice stands there once afterwards.
 * `change` must be JSON already. Throws `invalid` where the result would be too long to keep. [C-STATE-3]
 */
export const patchJsonText = (text: string, change: StatePatch): PatchedText => {
  const parsed = parseJson(text)
  if (!parsed.ok) return { ok: false, reason: 'corrupt' }
  if (!isJsonObject(parsed.value)) return { ok: false, reason: 'not-object' }
  const removed = new Set(change.remove)
  const entries = new Map(Object.entries(change.entries ?? {}).filter(([key]) => !removed.has(key)))
  const open = text.indexOf('{')
  const { members, close } = readMembers(text, open)
  const style = styleOf(text, open, close, members)
  const last = new Map(members.map(({ key, index }) => [key, index]))
  const kept = members.filter(({ key, index }) => !removed.has(key) && (!entries.has(key) || last.get(key) === index))
  const pieces = kept.map((member) => {
    const value = entries.get(member.key)
    return (
      text.slice(member.start, member.valueStart) +
      (value === undefined ? text.slice(member.valueStart, member.end) : written(value, style))
    )
  })
  for (const [key, value] of entries)
    if (!last.has(key)) pieces.push(`${JSON.stringify(key)}${style.colon}${written(value, style)}`)
  const result = joined(text, { members, kept, pieces, style, open, close })
  if (result.length * 3 > maxTextBytes && new TextEncoder().encode(result).length > maxTextBytes)
    throw invalid(`The patched document is longer than ${maxTextBytes} bytes.`)
  return { ok: true, text: result }
}

interface Parts {
  members: readonly Member[]
  kept: readonly Member[]
  pieces: readonly string[]
  style: Style
  open: number
  close: number
}

/** Puts the pieces back with the separators they had; only around new and removed ones the style decides. */
const joined = (text: string, { members, kept, pieces, style, open, close }: Parts): string => {
  const before = (index: number): string => {
    if (index === 0) return style.beforeFirst
    const member = kept[index]
    const previous = kept[index - 1]
    const neighbours = member && previous && previous.index === member.index - 1
    return neighbours ? text.slice(previous.end, member.start) : style.between
  }
  const body = pieces.map((piece, index) => before(index) + piece).join('')
  const tail = pieces.length > 0 && members.length > 0 ? text.slice(members.at(-1)?.end, close) : ''
  return text.slice(0, open + 1) + body + tail + text.slice(close)
}
