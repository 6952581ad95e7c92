import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import type { JsonObject, JsonValue } from '@nexus/core'

/**
 * Conditions and routes are CEL (https://cel.dev): no loops, no assignments, nothing that runs code. `matches` is left out,
 * since a pattern can be made that takes for ever.
 */
const language = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })

const pythonWords: readonly (readonly [RegExp, string])[] = [
  [/\band\b/, 'write && for "and"'],
  [/\bor\b/, 'write || for "or"'],
  [/\bnot\b/, 'write ! for "not"'],
  [/\bTrue\b|\bFalse\b/, 'write true and false in small letters'],
  [/\bNone\b/, 'write null for None'],
  [/[^=!<>]=[^=]/, 'write == to compare'],
]

const isNode = (value: unknown): value is ASTNode => typeof value === 'object' && value !== null && 'op' in value

function* nodesOf(value: unknown): Generator<ASTNode> {
  if (Array.isArray(value)) for (const one of value) yield* nodesOf(one)
  if (!isNode(value)) return
  yield value
  yield* nodesOf(value.args)
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

const isMatches = ({ op, args }: ASTNode): boolean =>
  (op === 'rcall' || op === 'call') && Array.isArray(args) && args[0] === 'matches'

const withHints = (text: string, problem: string): string => {
  const code = text.replace(/'[^']*'|"[^"]*"/g, '')
  return [problem, ...pythonWords.filter(([word]) => word.test(code)).map(([, hint]) => hint)].join('; ')
}

type Read = { parsed: ParseResult; problem: null } | { parsed: null; problem: string }

const read = (text: string): Read => {
  const refused = (problem: string): Read => ({ parsed: null, problem })
  try {
    const parsed = language.parse(text)
    if ([...nodesOf(parsed.ast)].some(isMatches))
      return refused('"matches" is not available; use contains, startsWith, endsWith or ==')
    const { valid, type, error } = parsed.check()
    if (!valid) return refused(withHints(text, firstLine(error)))
    if (type !== 'bool' && type !== 'dyn') return refused(`it gives a ${type}, where true or false is needed`)
    return { parsed, problem: null }
  } catch (error) {
    return refused(withHints(text, firstLine(error)))
  }
}

/** What keeps a text from being an expression that is true or false; null where nothing does. */
export const expressionProblem = (text: string): string | null => read(text).problem

export interface Verdict {
  value: boolean
  /** Why it could not be decided; then `value` is false. */
  problem: string | null
}

const namesIn = (ast: ASTNode): string[] => [...nodesOf(ast)].flatMap((node) => (node.op === 'id' ? [node.args] : []))

/** Decides over these variables. A name that none of them has is null; what cannot be decided is false, and says why. */
export const decide = (text: string, variables: JsonObject): Verdict => {
  const { parsed, problem } = read(text)
  if (parsed === null) return { value: false, problem }
  try {
    const given = new Map<string, JsonValue>(namesIn(parsed.ast).map((name) => [name, null]))
    for (const name of given.keys()) if (Object.hasOwn(variables, name)) given.set(name, variables[name] ?? null)
    const value: unknown = parsed(Object.fromEntries(given))
    return typeof value === 'boolean'
      ? { value, problem: null }
      : { value: false, problem: 'it is neither true nor false' }
  } catch (error) {
    return { value: false, problem: firstLine(error) }
  }
}
