import { invalid } from './errors.ts'
import { textProblem } from './text.ts'

interface NameRule {
  label: string
  /** Longest allowed, in bytes of UTF-8: the width of the documented column, or of a file name with room to suffix. */
  maxBytes: number
  /** Parts of a dedup key must not hold the separator. */
  colon: 'allowed' | 'refused'
  endsWith?: string
}

const rules = {
  project: { label: 'project key', maxBytes: 64, colon: 'refused' },
  issueNumber: { label: 'issue number', maxBytes: 32, colon: 'refused' },
  agentType: { label: 'agent type', maxBytes: 128, colon: 'refused' },
  filename: { label: 'filename', maxBytes: 200, colon: 'allowed' },
  taskFilename: { label: 'task filename', maxBytes: 200, colon: 'allowed', endsWith: '.md' },
  workflowId: { label: 'workflow id', maxBytes: 128, colon: 'allowed' },
  stateKey: { label: 'state key', maxBytes: 128, colon: 'allowed' },
} as const satisfies Record<string, NameRule>

export type NameKind = keyof typeof rules

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const control = /[\u0000-\u001f\u007f-\u009f]/

const shown = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)

/** Why we would not create a record of this name, or null. Names that already exist are never held to this. [C-ALL-5] */
export const nameProblem = (kind: NameKind, name: string): string | null => {
  const rule: NameRule = rules[kind]
  const bytes = new TextEncoder().encode(name).length
  if (name === '') return 'is empty'
  const text = textProblem(name)
  if (text) return text
  if (bytes > rule.maxBytes) return `is ${bytes} bytes long (at most ${rule.maxBytes})`
  if (control.test(name)) return 'holds a control character'
  if (name.includes('/') || name.includes('\\')) return 'holds a path separator'
  if (name.includes('..')) return 'holds ".."'
  if (name.startsWith('.')) return 'starts with a dot'
  if (rule.colon === 'refused' && name.includes(':')) return 'holds a colon'
  if (rule.endsWith && (!name.endsWith(rule.endsWith) || name === rule.endsWith))
    return `does not end in ${rule.endsWith}`
  return null
}

/** Throws `invalid` unless a record of this name may be created. */
export const checkName = (kind: NameKind, name: string): void => {
  const problem = nameProblem(kind, name)
  if (problem) throw invalid(`The ${rules[kind].label} ${shown(name)} ${problem}.`)
}

/** False for text that no store can hold: a read by such a name finds nothing, on every backend alike. */
export const canExist = (name: string): boolean => name !== '' && textProblem(name) === null
