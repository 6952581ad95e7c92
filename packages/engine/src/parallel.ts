import type { Say } from './check.ts'
import { roleOf, type StepDefinition } from './definition.ts'
import type { Graph, Place } from './graph.ts'

/** Members that a step which runs beside another cannot have: what follows belongs to that one. */
const ownWays = ({ onSuccess, routes, finalStep, parallel }: StepDefinition): string[] => [
  ...(onSuccess === null ? [] : ['on_success']),
  ...(routes.length > 0 ? ['routes'] : []),
  ...(finalStep ? ['final_step'] : []),
  ...(parallel.length > 0 ? ['parallel'] : []),
]

const nameProblem = ({ list, index, step }: Place, id: string, at: number): string | null => {
  const member = list.steps.find((one) => one.id === id)
  const earlier = list.steps.findIndex((one) => one !== step && one.parallel.includes(id))
  if (id === step.id) return 'a step does not run beside itself.'
  if (!member) return `there is no step "${id}" in this list.`
  if (step.parallel.indexOf(id) !== at) return `"${id}" is named already.`
  if (earlier >= 0 && earlier < index) return `"${id}" runs beside "${list.steps[earlier]?.id}" already.`
  return member.agentType === null ? `no agent runs "${id}", so that it cannot run beside another.` : null
}

const leadOf = ({ list, step }: Place): StepDefinition | undefined =>
  list.steps.find((other) => other !== step && other.parallel.includes(step.id))

/** A report is known by issue, role and status: two of one role at the same time would replace each other. */
const checkRoles = ({ list, index, step }: Place, say: Say): void => {
  const group = [step, ...list.steps.filter(({ id }) => step.parallel.includes(id))]
  const roles = group.map(({ agentType }) => (agentType === null ? null : roleOf(agentType)))
  for (const [at, role] of roles.entries()) {
    const first = roles.indexOf(role)
    const [one, other] = [group[first], group[at]]
    if (role === null || first === at || !one || !other) continue
    const place = { list, index: other === step ? index : list.steps.indexOf(other), step: other }
    const text = `"${one.id}" runs at the same time and is of the same role: their reports would replace each other.`
    say(place, 'error', ['agent_type'], `${text} Give it a role of its own; two roles may have one command.`)
  }
}

/** What is wrong with steps that run at the same time. */
export const checkParallel = (graph: Graph, place: Place, say: Say): void => {
  const { step, index } = place
  for (const [at, id] of step.parallel.entries()) {
    const found = nameProblem(place, id, at)
    if (found !== null) say(place, 'error', ['parallel', at], found)
  }
  checkRoles(place, say)
  const lead = leadOf(place)
  if (lead) {
    const beside = `this step runs beside "${lead.id}"`
    for (const member of ownWays(step))
      say(place, 'error', [member], `${beside}, which decides what follows. Remove it here, or put it there.`)
    if (index === 0)
      say(place, 'error', ['id'], `${beside}, so that it cannot be the first. Put "${lead.id}" before it.`)
  }
  for (const { to, member } of graph.exits(place)) {
    const led = typeof to === 'object' ? leadOf(to) : undefined
    if (led && typeof to === 'object')
      say(place, 'error', member, `"${to.step.id}" runs beside "${led.id}". Go to that one.`)
  }
}
