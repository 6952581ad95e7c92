import { styleText } from 'node:util'
import { type ConfigProblem, problemText, shownPath } from '../config/source.ts'
import type { Overview, StorageView } from './overview.ts'

export interface TextOptions {
  color: boolean
  /** Longer lines of commands are cut; null: none is. */
  width: number | null
}

type Style = Parameters<typeof styleText>[0]
type Paint = (style: Style, text: string) => string

const painter =
  ({ color }: TextOptions): Paint =>
  (style, text) =>
    color ? styleText(style, text, { validateStream: false }) : text

const cut = (text: string, { width }: TextOptions): string =>
  width !== null && text.length > width ? `${text.slice(0, Math.max(width - 1, 20))}…` : text

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`)

type StepView = Overview['projects'][number]['workflows'][number]['lists'][number]['steps'][number]

const arrowText = ({ to, by, when }: StepView['arrows'][number]): string => {
  if (by === 'condition') return `→ ${to}, where it is skipped`
  return when === null ? `→ ${to}` : `→ ${to}, when ${when}`
}

const stepLines = (step: StepView, index: number): string[] => {
  const runs = step.agent === null ? 'no agent' : step.agent
  const facts = [
    ...(step.beside === null ? [] : [`beside ${step.beside}`]),
    ...(step.parallel.length > 0 ? [`with ${step.parallel.join(', ')}`] : []),
    ...(step.condition === null ? [] : [`if ${step.condition}`]),
    ...(step.approval ? ['after approval'] : []),
  ]
  return [
    `${index + 1}. ${step.id} (${[runs, ...facts].join('; ')})`,
    ...step.arrows.map((arrow) => `   ${arrowText(arrow)}`),
  ]
}

const projectLines = (project: Overview['projects'][number], paint: Paint): string[] => [
  paint('bold', project.key),
  ...indented([
    `workspace  ${shownPath(project.workspace)}`,
    ...(project.concurrency === null ? [] : [`at a time  ${project.concurrency}`]),
    ...(project.issue_prefix === '' ? [] : [`issues     ${project.issue_prefix}1, ${project.issue_prefix}2, …`]),
    ...Object.entries(project.tiers).map(([type, tier]) => `type       ${type}: ${tier}`),
    ...project.workflows.flatMap(({ tiers, lists, approval }) =>
      lists.flatMap(({ workflow, steps }, index) => [
        index === 0
          ? `${paint('cyan', workflow)} for ${tiers.join(', ')}`
          : `${paint('cyan', workflow)} that it leads to`,
        ...indented(steps.flatMap(stepLines)),
        ...(approval && index === 0 ? ['  and a person approves the result'] : []),
      ]),
    ),
  ]),
]

const agentLines = (
  { role, command, prompt, program, found }: Overview['agents'][number],
  paint: Paint,
  options: TextOptions,
) => {
  const line = typeof command === 'string' ? command : command.join(' ')
  const place = found === null ? paint('yellow', `${program ?? 'its program'} is not found on PATH`) : found
  return [
    paint('bold', role),
    ...indented([cut(`command  ${line}`, options), `program  ${place}`, `prompt   ${prompt}`]),
  ]
}

const storageLines = (stores: readonly StorageView[], root: string): string[] => {
  const widest = Math.max(...stores.map(({ store }) => store.length))
  const rows = stores.map(({ store, backend, decided_by }) => `${store.padEnd(widest)}  ${backend} (${decided_by})`)
  return [...rows, `${'root'.padEnd(widest)}  ${root}`]
}

const problemLines = (problems: readonly ConfigProblem[], paint: Paint): string[] =>
  problems.map((problem) =>
    problem.severity === 'error'
      ? `${paint('red', 'error')} ${problemText(problem)}`
      : `${paint('yellow', 'warning')} ${problemText(problem)}`,
  )

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export interface CheckView {
  file: string
  overview: Overview | null
  /** Null where the environment is wrong. */
  storage: { root: string; stores: StorageView[] } | null
  problems: readonly ConfigProblem[]
}

/** What `check` says to a person. */
export const checkText = ({ file, overview, storage, problems }: CheckView, options: TextOptions): string => {
  const paint = painter(options)
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const section = (title: string, lines: readonly string[]): string[] => [
    paint('underline', title),
    ...indented(lines),
    '',
  ]
  return [
    ...(overview
      ? [
          ...section(
            'Projects',
            overview.projects.flatMap((project) => projectLines(project, paint)),
          ),
          ...section(
            'Agents',
            overview.agents.flatMap((agent) =>
              agentLines(agent, paint, { ...options, width: options.width && options.width - 4 }),
            ),
          ),
        ]
      : []),
    ...(storage ? section('Kept in', storageLines(storage.stores, storage.root)) : []),
    ...problemLines(problems, paint),
    ...(problems.length > 0 ? [''] : []),
    `${shownPath(file)}: ${counted(errors, 'error')}, ${counted(problems.length - errors, 'warning')}`,
  ].join('\n')
}
