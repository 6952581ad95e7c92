import { z } from 'zod'

/** The longest text or document a store takes, in bytes of UTF-8. */
export const maxTextBytes = 16 * 1024 * 1024

const unpaired = /\p{Surrogate}/u
const unpairedAll = /\p{Surrogate}/gu

/**
 * Why the text cannot be kept byte for byte on every backend, or null where it can. PostgreSQL refuses U+0000 and
 * silently alters lone surrogates, so both are refused everywhere. [C-ALL-6]
 */
export const textProblem = (text: string): string | null => {
  if (text.includes('\0')) return 'holds U+0000'
  if (unpaired.test(text)) return 'holds a lone surrogate'
  if (text.length * 3 > maxTextBytes && new TextEncoder().encode(text).length > maxTextBytes)
    return `is longer than ${maxTextBytes} bytes`
  return null
}

/** What the edge that takes text from agents does first: each U+0000 and lone surrogate becomes U+FFFD. */
export const repairText = (text: string): string => text.replaceAll('\0', '\uFFFD').replace(unpairedAll, '\uFFFD')

/** Byte order of the UTF-8 form, which differs from JavaScript's for characters beyond U+FFFF. */
export const byteOrder = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Text that every backend keeps byte for byte. */
export const StorableText = z.string().superRefine((text, context) => {
  const problem = textProblem(text)
  if (problem) context.addIssue({ code: 'custom', message: problem })
})
