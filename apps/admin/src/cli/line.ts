import { stripVTControlCharacters, styleText } from 'node:util'

/** A part of a line that stands out where stdout is a terminal and NO_COLOR is not set, or FORCE_COLOR is. */
interface Styled {
  style: Parameters<typeof styleText>[0]
  text: string
}

/** One line of text for people, as it was put together: whatever stands in it, `lineText` makes one harmless line of it. */
export type Line = string | readonly (string | Styled)[]

/**
 * Words of agents, tasks and other programs must not steer a terminal, begin a line of their own, or turn the direction of
 * what stands beside them.
 */
const harmless = (text: string): string => stripVTControlCharacters(text).replace(/[^\P{C}\t]|[\p{Zl}\p{Zp}]/gu, ' ')

/** The same for a name or a cell of a table, with no space that says nothing. */
export const plain = (text: string): string => harmless(text).replace(/\s+/g, ' ').trim()

/** A line as it goes out. */
export const lineText = (line: Line): string =>
  (typeof line === 'string' ? [line] : line)
    .map((part) =>
      typeof part === 'string'
        ? harmless(part)
        : styleText(part.style, harmless(part.text), { stream: process.stdout }),
    )
    .join('')

/** The lines of a text of several. */
export const linesOf = (text: string): string[] => text.trimEnd().split(/\r?\n/)

const escaped = (text: string): string =>
  Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

/** JSON that is the same to a program, and in which nothing steers a terminal. */
export const jsonText = (value: unknown, space?: number): string =>
  JSON.stringify(value, null, space).replace(/[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu, escaped)
