import { isEndWord, type LinkedWorkflow, type StepDefinition, type WorkflowDefinition } from './definition.ts'
import type { Path } from './problem.ts'

/** A step in its list. */
export interface Place {
  readonly list: WorkflowDefinition
  readonly index: number
  readonly step: StepDefinition
}

/** A way out of a step, as far as the definition says: a report's `next_agent` may choose another. */
export interface Exit {
  /** `unknown`: its target is nothing that is there. */
  readonly to: Place | 'end' | 'unknown'
  /** `condition`: the step is skipped. The others follow its report. */
  readonly by: 'condition' | 'route' | 'on_success' | 'next' | 'final'
  /** The expression that must be true, where there is one. */
  readonly when: string | null
  /** The member of the step that says so; empty where none does. */
  readonly member: Path
}

/** What an expression always is; null where that depends. */
export const constantOf = (expression: string | null): boolean | null => {
  const word = expression?.trim()
  if (word === 'true') return true
  return word === 'false' ? false : null
}

/** All steps of a linked workflow, its own list first. */
const placesOf = ({ definition, others }: LinkedWorkflow): Place[] =>
  [definition, ...others].flatMap((list) => list.steps.map((step, index) => ({ list, index, step })))

/** Step that runs beside another one of its list. */
export const isMember = ({ list, step }: Place): boolean =>
  list.steps.some((other) => other !== step && other.parallel.includes(step.id))

export interface Graph {
  readonly places: readonly Place[]
  /** What a target of this step means, as the state machine reads it. */
  target(from: Place, name: string): Exit['to']
  /** Every way out of a step, in the order in which they are tried. */
  exits(from: Place): readonly Exit[]
}

export const createGraph = (workflow: LinkedWorkflow): Graph => {
  const places = placesOf(workflow)
  const firstOf = (name: string): Place | undefined => places.find(({ list }) => list.name === name)
  const target: Graph['target'] = ({ list }, name) =>
    places.find((place) => place.list === list && (place.step.id === name || place.step.name === name)) ??
    firstOf(name) ??
    (isEndWord(name) ? 'end' : 'unknown')
  const nextOf = ({ list, index }: Place): Exit['to'] =>
    places.find((place) => place.list === list && place.index > index && !isMember(place)) ?? 'end'
  const ways = (from: Place): Exit[] => {
    const { condition, finalStep, routes, onSuccess } = from.step
    const next = nextOf(from)
    const found: Exit[] = []
    const isRun = condition === null ? true : constantOf(condition)
    if (isRun !== true) found.push({ to: next, by: 'condition', when: null, member: ['condition'] })
    if (isRun === false) return found
    if (finalStep) return [...found, { to: 'end', by: 'final', when: null, member: ['final_step'] }]
    for (const [index, { when, to }] of routes.entries()) {
      const fits = when === null ? true : constantOf(when)
      if (fits === false) continue
      found.push({ to: target(from, to), by: 'route', when: fits ? null : when, member: ['routes', index] })
      if (fits) return found
    }
    return onSuccess === null
      ? [...found, { to: next, by: 'next', when: null, member: [] }]
      : [...found, { to: target(from, onSuccess), by: 'on_success', when: null, member: ['on_success'] }]
  }
  const known = new Map(places.map((place) => [place, ways(place)]))
  return { places, target, exits: (from) => known.get(from) ?? [] }
}

const isPlace = (to: Exit['to']): to is Place => typeof to === 'object'

/** What can come after a step, and after that, and so on. */
export const onwards = ({ exits }: Graph, from: Place): Set<Place> => {
  const found = new Set(exits(from).flatMap(({ to }) => (isPlace(to) ? [to] : [])))
  // A set goes on with what is added meanwhile.
  for (const place of found) for (const { to } of exits(place)) if (isPlace(to)) found.add(to)
  return found
}

export interface Walk {
  /** Steps that some run comes to, parallel members included. */
  readonly reachable: ReadonlySet<Place>
  /** Of these, the ones from which no way leads to the end. */
  readonly endless: ReadonlySet<Place>
}

/** Follows every way that the definition leaves open, from its first step. */
export const walk = (graph: Graph): Walk => {
  const { places, exits } = graph
  const first = places[0]
  if (!first) return { reachable: new Set(), endless: new Set() }
  const visited = new Set([first, ...onwards(graph, first)])
  const before = new Map<Place, Place[]>()
  for (const place of visited)
    for (const { to } of exits(place)) if (isPlace(to)) before.set(to, [...(before.get(to) ?? []), place])
  const ending = new Set([...visited].filter((place) => exits(place).some(({ to }) => !isPlace(to))))
  for (const place of ending) for (const earlier of before.get(place) ?? []) ending.add(earlier)
  const beside = [...visited].flatMap(({ list, step }) =>
    places.filter((place) => place.list === list && step.parallel.includes(place.step.id)),
  )
  return {
    reachable: new Set([...visited, ...beside]),
    endless: new Set([...visited].filter((place) => !ending.has(place))),
  }
}
