import { type LinkedWorkflow, roleOf } from './definition.ts'
import { expressionProblem } from './expression.ts'
import { constantOf, createGraph, type Graph, isMember, onwards, type Place, type Walk, walk } from './graph.ts'
import { checkParallel } from './parallel.ts'
import type { Path, StepProblem } from './problem.ts'
import { meant } from './unknown-members.ts'

export interface CheckOptions {
  /** Of the agents there are, see `roleOf`; null: they are not known. */
  readonly roles: ReadonlySet<string> | null
  /** Names of all workflows, those that cannot be read too: a target may be one. */
  readonly workflows: ReadonlySet<string>
}

/** Tells of a problem at a member of a step. */
export type Say = (place: Place, severity: StepProblem['severity'], member: Path, message: string) => void

const listed = (words: Iterable<string>): string => [...words].join(', ')

const checkTargets = (graph: Graph, place: Place, { workflows }: CheckOptions, say: Say): void => {
  const { onSuccess, routes, finalStep } = place.step
  const targets = [
    ...(onSuccess === null ? [] : [{ to: onSuccess, member: ['on_success'] }]),
    ...routes.map(({ to }, index) => ({ to, member: ['routes', index, 'then'] })),
  ]
  const ids = place.list.steps.map(({ id }) => id)
  for (const { to, member } of targets) {
    if (workflows.has(to) || graph.target(place, to) !== 'unknown') continue
    const near = meant(to, [...ids, ...workflows])
    const advice = near === null ? `Known: ${listed(ids)}.` : `Did you mean "${near}"?`
    say(place, 'error', member, `there is no step "${to}", and no workflow of that name. ${advice}`)
  }
  if (!finalStep) return
  const followed = 'a final_step is followed by none. Remove one of the two.'
  if (onSuccess !== null) say(place, 'error', ['on_success'], followed)
  if (routes.length > 0) say(place, 'error', ['routes'], followed)
}

const checkExpressions = (place: Place, say: Say): void => {
  const { condition, routes } = place.step
  const expressions = [
    ...(condition === null ? [] : [{ text: condition, member: ['condition'] }]),
    ...routes.flatMap(({ when }, index) => (when === null ? [] : [{ text: when, member: ['routes', index, 'when'] }])),
  ]
  for (const { text, member } of expressions) {
    const found = expressionProblem(text)
    if (found !== null) say(place, 'error', member, `${text}: ${found}.`)
  }
}

const checkDefault = (graph: Graph, place: Place, say: Say): void => {
  const { routes, finalStep } = place.step
  const first = routes.findIndex(({ when }) => when === null || constantOf(when) === true)
  if (first >= 0 && first < routes.length - 1)
    say(
      place,
      'error',
      ['routes', first],
      'it always fits, so that no route behind it is looked at. Make it the last one.',
    )
  if (routes.length === 0 || first >= 0 || finalStep) return
  if (graph.exits(place).some(({ to, by }) => by === 'next' && to === 'end'))
    say(
      place,
      'warning',
      ['routes'],
      'where none of them fits, the workflow ends here. Say so with { default: end }, or name a step.',
    )
}

const checkReached = ({ reachable }: Walk, place: Place, say: Say): void => {
  if (reachable.has(place)) return
  const { agentType } = place.step
  const but = agentType === null ? '' : ` but a report with the next_agent "${agentType}"`
  say(place, 'warning', ['id'], `nothing leads to this step${but}.`)
}

const ringWords = (names: string, bounded: boolean): string =>
  bounded
    ? `only max_iterations ends this loop (${names}), and the task fails then. Let a route or a condition lead out of it.`
    : `this loop (${names}) never ends: no route and no condition leads out of it. Go back by a route, ` +
      `{ when: …, then: … }, so that what follows is the way out.`

/** One problem for each ring of steps that nothing leads out of, at the member that leads back. */
const checkRings = (graph: Graph, { endless }: Walk, say: Say): void => {
  const told = new Set<Place>()
  for (const place of graph.places) {
    const ring = endless.has(place) && !told.has(place) ? onwards(graph, place) : new Set<Place>()
    // What only leads into a ring is none itself.
    if (ring.size === 0 || ![...ring].every((other) => onwards(graph, other).has(place))) continue
    for (const one of ring) told.add(one)
    const steps = graph.places.filter((one) => ring.has(one))
    const isChoice = ({ by }: { by: string }): boolean => by !== 'next' && by !== 'condition'
    const last = steps.findLast((one) => graph.exits(one).some(isChoice)) ?? place
    const member = graph.exits(last).findLast(isChoice)?.member ?? ['id']
    const bounded = steps.some(({ step }) => step.maxIterations !== null)
    const names = listed(steps.map(({ step }) => step.id))
    say(last, bounded ? 'warning' : 'error', member, ringWords(names, bounded))
  }
}

/** A dry run of a workflow: everything that can be known of it before any agent runs. */
export const checkWorkflow = (workflow: LinkedWorkflow, options: CheckOptions): StepProblem[] => {
  const graph = createGraph(workflow)
  const way = walk(graph)
  const problems: StepProblem[] = []
  const say: Say = ({ list, index, step }, severity, member, message) =>
    void problems.push({ severity, workflow: list.name, step: step.id, path: [index, ...member], message })
  for (const place of graph.places) {
    const { agentType } = place.step
    if (agentType !== null && options.roles?.has(roleOf(agentType)) === false)
      say(place, 'error', ['agent_type'], `there is no agent "${agentType}". Known: ${listed(options.roles)}.`)
    checkTargets(graph, place, options, say)
    checkExpressions(place, say)
    if (!isMember(place)) checkDefault(graph, place, say)
    // A workflow that this one leads to has a dry run of its own.
    if (place.list === workflow.definition) checkReached(way, place, say)
    checkParallel(graph, place, say)
  }
  checkRings(graph, way, say)
  return problems
}
