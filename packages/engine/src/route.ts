import type { JsonObject } from '@nexus/core'
import { isEndWord, roleOf } from './definition.ts'
import { type Step, stepName, type WorkflowDocument } from './document.ts'
import { decide } from './expression.ts'

/** Where a workflow goes from a step: to the step at this index, to its end, or nowhere that can be found. */
export interface Way {
  to: number | 'end' | 'unknown'
  /** What a person needs to know of the choice. */
  note: string | null
}

/** Indices of the steps that run at the same time as the step at this one, itself included. */
export const groupOf = ({ steps }: WorkflowDocument, index: number): number[] => {
  const step = steps[index]
  if (!step) return []
  const named = step.parallel_with.map((id) =>
    steps.findIndex((other) => other.workflow === step.workflow && [other.id, other.name].includes(String(id))),
  )
  return [index, ...new Set(named.filter((at) => at >= 0 && at !== index))]
}

/** Whether more than one step runs when it is the present one's turn. */
export const runsBeside = (document: WorkflowDocument): boolean => groupOf(document, document.current_step).length > 1

/** The step that the one at this index runs beside; itself where it runs for itself. */
export const leadOf = (document: WorkflowDocument, index: number): number => {
  const lead = document.steps.findIndex((_, at) => at !== index && groupOf(document, at).includes(index))
  return lead >= 0 ? lead : index
}

/** Whether it runs beside another step of its list, and not for itself. */
const isMember = (document: WorkflowDocument, index: number): boolean => leadOf(document, index) !== index

/** Index of the step of this id in the list of the given one, else of the first step of the workflow of this name. */
const targetOf = (document: WorkflowDocument, { workflow }: Step, name: string): number => {
  const { steps } = document
  const own = steps.findIndex((step) => step.workflow === workflow && (step.id === name || step.name === name))
  if (own >= 0) return own
  const other = steps.findIndex((step) => step.workflow === name)
  if (other >= 0) return other
  return document.metadata['definition'] === name ? 0 : -1
}

const wayTo = (document: WorkflowDocument, step: Step, name: string, note: string | null): Way => {
  const index = targetOf(document, step, name)
  if (index >= 0) return { to: index, note }
  if (isEndWord(name)) return { to: 'end', note }
  return { to: 'unknown', note: `step ${stepName(step)} leads to ${JSON.stringify(name)}, which is no step` }
}

const reportFields = ({ report }: Step): JsonObject =>
  report ? ({ ...report.payload, status: report.status, summary: report.summary } as JsonObject) : {}

/** What expressions see: the members of the last report, and the reports of every step by its id. */
export const variablesOf = (document: WorkflowDocument, step: Step): JsonObject => {
  // What an earlier pass said decides nothing in this one.
  const isNews = step.status === 'completed' && step.report !== null
  const last = isNews ? step : document.steps[document.reported_step ?? -1]
  const isOwn = (one: Step): boolean => one.workflow === step.workflow
  const steps = Object.fromEntries(
    // Lists may have ids in common: those of its own are meant.
    [...document.steps.filter((one) => !isOwn(one)), ...document.steps.filter(isOwn)].map((one) => [
      stepName(one),
      { ...reportFields(one), step_status: one.status, iteration: one.iteration },
    ]),
  )
  const { id, name, project, issue_number, metadata } = document
  const workflow = { id, name, project, issue_number, metadata } as JsonObject
  const report = last ? reportFields(last) : {}
  return { ...report, agent_type: last?.agent.name ?? null, report, steps, workflow, iteration: step.iteration }
}

const textIn = (route: Readonly<Record<string, unknown>>, member: string): string | null => {
  const value = route[member]
  return typeof value === 'string' ? value : null
}

/** The first route that fits, and what kept others from being decided. */
const routeOf = (document: WorkflowDocument, step: Step): { target: string | null; note: string | null } => {
  const problems: string[] = []
  const note = () => (problems.length > 0 ? problems.join('; ') : null)
  for (const route of step.routes) {
    const target = textIn(route, 'then') ?? textIn(route, 'goto') ?? textIn(route, 'default')
    const when = textIn(route, 'when')
    if (target === null) continue
    if (when === null) return { target, note: note() }
    const { value, problem } = decide(when, variablesOf(document, step))
    if (problem !== null) problems.push(`${when}: ${problem}`)
    if (value) return { target, note: note() }
  }
  return { target: null, note: note() }
}

const hasRole = (step: Step, role: string): boolean => roleOf(step.agent.name) === role

/** The step that a report's `next_agent` means: of the roles ahead the nearest, else of those behind. */
const agentWay = (document: WorkflowDocument, index: number, step: Step): Way['to'] | null => {
  const word = step.report?.payload['next_agent']
  if (typeof word !== 'string') return null
  if (isEndWord(word.replace(/^@/, ''))) return 'end'
  const fits = document.steps.map(
    (other, at) => other.workflow === step.workflow && hasRole(other, roleOf(word)) && !isMember(document, at),
  )
  const ahead = fits.indexOf(true, index + 1)
  const behind = index > 0 ? fits.lastIndexOf(true, index - 1) : -1
  return ahead >= 0 ? ahead : behind >= 0 ? behind : null
}

const nextInOrder = (document: WorkflowDocument, index: number, step: Step): Way['to'] => {
  const next = document.steps.findIndex(
    ({ workflow }, at) => at > index && workflow === step.workflow && !isMember(document, at),
  )
  return next >= 0 ? next : 'end'
}

/** Where it goes on after the step at this index: routes decide, then `next_agent`, then `on_success`, then the order. */
export const wayFrom = (document: WorkflowDocument, index: number): Way => {
  const step = document.steps[index]
  if (!step) return { to: 'end', note: null }
  // What a step leads to holds for one that was run: a skipped loop back is no loop.
  if (step.status === 'skipped') return { to: nextInOrder(document, index, step), note: null }
  if (step.final_step) return { to: 'end', note: null }
  const { target, note } = routeOf(document, step)
  if (target !== null) return wayTo(document, step, target, note)
  const meant = agentWay(document, index, step)
  if (meant !== null) return { to: meant, note }
  const way = step.on_success === null ? null : wayTo(document, step, step.on_success, note)
  // Documents of the earlier implementation name what is no step; there the order decides.
  if (way && way.to !== 'unknown') return way
  return { to: nextInOrder(document, index, step), note }
}
