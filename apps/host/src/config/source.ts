import { readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { Path } from '@nexus/engine'
import { type Document, isMap, isNode, LineCounter, parseDocument, visit, type YAMLParseError } from 'yaml'

/** Something that a person has to look at in a configuration file. */
export interface ConfigProblem {
  readonly severity: 'error' | 'warning'
  /** As it was named, or relative to the working directory. */
  readonly file: string
  /** Counted from 1; 0 where the file could not be read. */
  readonly line: number
  readonly column: number
  /** The member, such as `workflows.chain.steps[0].on_success`; empty where it is the whole file. */
  readonly member: string
  /** Says what to do as well. */
  readonly message: string
}

/** A YAML file that says of each of its members where it stands. */
export interface Source {
  readonly shown: string
  readonly value: unknown
  problem(severity: ConfigProblem['severity'], path: Path, message: string): ConfigProblem
}

/** A source, or why there is none. */
export type OpenedSource = { source: Source; problems: ConfigProblem[] } | { source: null; problems: ConfigProblem[] }

/** A path as a person reads it: relative where it is below the working directory. */
export const shownPath = (file: string): string => {
  const near = relative(process.cwd(), resolve(file))
  return near.startsWith('..') || near === '' ? resolve(file) : near
}

export const problemText = ({ file, line, column, member, message }: ConfigProblem): string =>
  [line > 0 ? `${file}:${line}:${column}: ` : `${file} `, member === '' ? '' : `${member}: `, message].join('')

/** Other names of a member: the first that is there is meant. */
const alternatives: ReadonlyMap<PropertyKey, readonly string[]> = new Map([
  ['agent_type', ['agent']],
  ['on_success', ['goto']],
  ['then', ['goto', 'default']],
  ['routes', ['default']],
])

/** The path by the names that the file uses, as far as there is anything. */
const writtenPath = (document: Document, path: Path): Path => {
  const done: PropertyKey[] = []
  for (const part of path) {
    const parent = done.length === 0 ? document.contents : document.getIn(done, true)
    const names = [part, ...(alternatives.get(part) ?? [])]
    done.push((isMap(parent) ? names.find((name) => parent.has(name)) : undefined) ?? part)
  }
  return done
}

/** Where the key or value at this path stands; its nearest parent where it is missing. */
const offsetOf = (document: Document, path: Path): number => {
  const last = path.at(-1)
  if (last === undefined) return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => String(isNode(key) ? key.toJSON() : key) === String(last))
    const key: unknown = pair?.key
    if (isNode(key) && key.range) return key.range[0]
  }
  const node = document.getIn(path, true)
  return isNode(node) && node.range ? node.range[0] : offsetOf(document, path.slice(0, -1))
}

const pathText = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('')

const yamlWords = ({ code, message }: YAMLParseError): string =>
  code === 'MULTIPLE_DOCS'
    ? 'one document is needed. Put what follows "---" into a file of its own.'
    : `not YAML: ${message}`

/** The plain data of a document that has no errors; a text where its aliases keep it from being any. */
const plain = (document: Document): { value: unknown } | string => {
  try {
    return { value: document.toJS() }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Reads a YAML file. `missing` says what to do where there is none. */
export const openSource = (file: string, missing: string): OpenedSource => {
  const shown = shownPath(file)
  const bare = { severity: 'error', file: shown, member: '' } as const
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { source: null, problems: [{ ...bare, line: 0, column: 0, message: `cannot be read. ${missing}` }] }
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const at = (offset: number, message: string): ConfigProblem => {
    const { line, col } = lines.linePos(offset)
    return { ...bare, line, column: col, message }
  }
  const broken = document.errors.map((error) => at(error.pos[0], yamlWords(error)))
  if (broken.length === 0)
    visit(document, {
      Alias(_, alias) {
        if (!alias.resolve(document))
          broken.push(at(alias.range?.[0] ?? 0, `not YAML: Unresolved alias *${alias.source}.`))
      },
    })
  const data = broken.length === 0 ? plain(document) : ''
  if (typeof data === 'string') return { source: null, problems: data === '' ? broken : [at(0, `not YAML: ${data}.`)] }
  const problem: Source['problem'] = (severity, path, message) => {
    const written = writtenPath(document, path)
    return { ...at(offsetOf(document, written), message), severity, member: pathText(written) }
  }
  return { source: { shown, value: data.value, problem }, problems: [] }
}
