import leven from 'leven'
import { type Path, type Problem, problem } from './problem.ts'
import { members } from './written.ts'

type Members = Readonly<Record<string, unknown>>

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const plain = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, '')

/** The known word that this one is a misspelling of; null where none is near. Case, `-` and `_` do not count. */
export const meant = (word: string, known: readonly string[]): string | null => {
  const near = known
    .filter((one) => one !== word)
    .map((one) => ({ one, edits: leven(plain(word), plain(one)) }))
    .filter(({ one, edits }) => edits <= (one.length > 4 ? 2 : 1))
    .sort((left, right) => left.edits - right.edits)
  return near[0]?.one ?? null
}

/** Members that say how steps follow each other in formats that look alike: nothing here may pass them over silently. */
const flow: Readonly<Record<string, string>> = {
  parallel_with: 'write "parallel: [ids]" in the step that the others run beside',
  depends_on: 'put the step behind the others, or name it in their on_success',
  next: 'write "on_success: <step id>"',
}

/** Members by which the state machine remembers what became of a step; it keeps what a definition says beside them. */
const remembered: readonly string[] = [
  'step_num',
  'status',
  'started_at',
  'completed_at',
  'error',
  'retry_count',
  'retry_at',
  'iteration',
  'attempt_id',
  'launched_at',
  'baseline',
  'baseline_partial',
  'interruptions',
  'report',
  'passes',
  'approval',
  'workflow',
]

interface Kind {
  known: readonly string[]
  /** What becomes of a member that nobody knows; null: nothing is said of it. */
  fate: string | null
}

const kinds = {
  workflow: { known: members.workflow, fate: 'it means nothing to the host' },
  list: { known: members.list, fate: 'it means nothing to the host' },
  step: { known: members.step, fate: 'it means nothing to the host; the agent is told' },
  route: { known: members.route, fate: 'it means nothing to the host' },
  retry: { known: members.retry, fate: 'it means nothing to the host' },
  monitoring: { known: members.monitoring, fate: null },
} as const satisfies Record<string, Kind>

const unknownIn = (value: unknown, kind: keyof typeof kinds, path: Path): Problem[] => {
  if (!isMembers(value)) return []
  const { known, fate } = kinds[kind]
  const names: readonly string[] = known
  return Object.keys(value).flatMap((name): Problem[] => {
    if (names.includes(name)) return []
    const refused = kind === 'step' && Object.hasOwn(flow, name) ? flow[name] : undefined
    if (refused) return [problem('error', [...path, name], `"${name}" is not known: ${refused}.`)]
    if (kind === 'step' && remembered.includes(name))
      return [
        problem('error', [...path, name], `"${name}" is what the host itself writes of a step. Choose another name.`),
      ]
    const spelling = meant(name, names)
    if (spelling !== null && !Object.hasOwn(value, spelling))
      return [problem('error', [...path, name], `unknown member. Did you mean "${spelling}"?`)]
    return fate === null ? [] : [problem('warning', [...path, name], `unknown member: ${fate}.`)]
  })
}

const listed = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const inStep = (value: unknown, path: Path): Problem[] =>
  isMembers(value)
    ? [
        ...unknownIn(value, 'step', path),
        ...listed(value['routes']).flatMap((one, index) => unknownIn(one, 'route', [...path, 'routes', index])),
        ...['retry', 'retry_policy'].flatMap((name) => unknownIn(value[name], 'retry', [...path, name])),
      ]
    : []

const inSteps = (value: unknown, path: Path): Problem[] =>
  listed(value).flatMap((step, index) => inStep(step, [...path, index]))

/** Lists of a workflow, by the member that holds each. */
export const listMembers = [
  ['full', 'full_workflow'],
  ['shortened', 'shortened_workflow'],
  ['fast-track', 'fast-track_workflow'],
  ['fast-track', 'fast_track_workflow'],
] as const

/** Every member of a workflow, as it is written, that nobody reads: an error where it looks misspelt. */
export const unknownMembers = (written: unknown): Problem[] => {
  if (!isMembers(written)) return []
  return [
    ...unknownIn(written, 'workflow', []),
    ...unknownIn(written['monitoring'], 'monitoring', ['monitoring']),
    ...inSteps(written['steps'], ['steps']),
    ...listMembers.flatMap(([, name]) => {
      const list = written[name]
      return isMembers(list) ? [...unknownIn(list, 'list', [name]), ...inSteps(list['steps'], [name, 'steps'])] : []
    }),
  ]
}
