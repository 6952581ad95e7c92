import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkWorkflow } from '../src/check.ts'
import type { LinkedWorkflow, StepDefinition, WorkflowDefinition } from '../src/definition.ts'
import { stepOf, workflowOf } from './stage.ts'

const unbound = (id: string, change: Partial<StepDefinition> = {}): StepDefinition =>
  stepOf(id, { agentType: 'dev', maxIterations: null, ...change })

const check = (steps: readonly StepDefinition[], others: readonly WorkflowDefinition[] = []): string[] =>
  checkWorkflow(
    { definition: workflowOf(steps), others },
    { roles: new Set(['dev', 'other']), workflows: new Set(['broken']) },
  ).map(({ severity, workflow, path, message }) => `${severity} ${workflow} ${path.join('.')}: ${message}`)

const when = (text: string, to: string) => ({ when: text, to })
const otherwise = (to: string) => ({ when: null, to })

describe('a dry run', () => {
  test('finds nothing in a chain, a loop that a route leaves, a fork, and a way into another workflow and to the end', () => {
    expect(check([unbound('a'), unbound('b', { routes: [when("verdict == 'again'", 'a')] }), unbound('c')])).toEqual([])
    expect(
      check(
        [
          unbound('a', { agentType: null, parallel: ['b', 'c'], routes: [when('urgent', 'ship'), otherwise('d')] }),
          unbound('b', { agentType: 'other', condition: 'urgent' }),
          unbound('c'),
          unbound('d', { routes: [when('urgent', 'broken'), otherwise('end')] }),
        ],
        [workflowOf([unbound('x'), unbound('y', { onSuccess: 'main' })], { name: 'ship' })],
      ),
    ).toEqual([])
  })

  test.each<[string, StepDefinition[], string]>([
    [
      'a target that is nowhere',
      [unbound('draft', { onSuccess: 'reveiw' }), unbound('review')],
      'error main 0.on_success: there is no step "reveiw", and no workflow of that name. Did you mean "review"?',
    ],
    [
      'a route that leads nowhere',
      [unbound('a', { routes: [when('x', 'deploy')] }), unbound('b')],
      'error main 0.routes.0.then: there is no step "deploy", and no workflow of that name. Known: a, b.',
    ],
    [
      'an agent that is not there',
      [unbound('a', { agentType: 'qa' })],
      'error main 0.agent_type: there is no agent "qa". Known: dev, other.',
    ],
    [
      'an expression that is none',
      [unbound('a', { condition: "x == 'a' and y" })],
      `error main 0.condition: x == 'a' and y: Unexpected character: 'd'; write && for "and".`,
    ],
    [
      'a default that is not the last',
      [unbound('a', { routes: [otherwise('a'), when('x', 'a')] })],
      'error main 0.routes.0: it always fits, so that no route behind it is looked at. Make it the last one.',
    ],
    [
      'a missing default',
      [unbound('a', { routes: [when('x', 'a')] })],
      'warning main 0.routes: where none of them fits, the workflow ends here. Say so with { default: end }, or name a step.',
    ],
    [
      'a final step with a successor',
      [unbound('a', { finalStep: true, onSuccess: 'b' }), unbound('b')],
      'error main 0.on_success: a final_step is followed by none. Remove one of the two.',
    ],
    [
      'a step that nothing leads to',
      [unbound('a', { onSuccess: 'c' }), unbound('b'), unbound('c')],
      'warning main 1.id: nothing leads to this step but a report with the next_agent "dev".',
    ],
    [
      'a loop without a way out',
      [unbound('a'), unbound('b', { onSuccess: 'a' })],
      'error main 1.on_success: this loop (a, b) never ends: no route and no condition leads out of it. Go back by a route, { when: …, then: … }, so that what follows is the way out.',
    ],
    [
      'a loop that only its bound ends',
      [unbound('a', { maxIterations: 3 }), unbound('b', { onSuccess: 'a' })],
      'warning main 1.on_success: only max_iterations ends this loop (a, b), and the task fails then. Let a route or a condition lead out of it.',
    ],
    [
      'a parallel member that nobody has',
      [unbound('a', { parallel: ['x'] })],
      'error main 0.parallel.0: there is no step "x" in this list.',
    ],
    [
      'a step beside itself',
      [unbound('a', { parallel: ['a'] })],
      'error main 0.parallel.0: a step does not run beside itself.',
    ],
    [
      'a member of two',
      [unbound('a', { parallel: ['c'] }), unbound('b', { parallel: ['c'] }), unbound('c')],
      'error main 1.parallel.0: "c" runs beside "a" already.',
    ],
    [
      'a member that says what follows',
      [unbound('a', { parallel: ['b'] }), unbound('b', { finalStep: true })],
      'error main 1.final_step: this step runs beside "a", which decides what follows. Remove it here, or put it there.',
    ],
    [
      'a member that runs no agent',
      [unbound('a', { parallel: ['b'] }), unbound('b', { agentType: null })],
      'error main 0.parallel.0: no agent runs "b", so that it cannot run beside another.',
    ],
    [
      'two of one role at the same time',
      [unbound('a', { parallel: ['b'] }), unbound('b')],
      'error main 1.agent_type: "a" runs at the same time and is of the same role: their reports would replace each other. Give it a role of its own; two roles may have one command.',
    ],
    [
      'a member in front',
      [unbound('b'), unbound('a', { parallel: ['b'] })],
      'error main 0.id: this step runs beside "a", so that it cannot be the first. Put "a" before it.',
    ],
    [
      'a way to a member',
      [unbound('a', { parallel: ['b'] }), unbound('b'), unbound('c', { routes: [when('x', 'b'), otherwise('end')] })],
      'error main 2.routes.0: "b" runs beside "a". Go to that one.',
    ],
  ])('%s', (_, steps, message) => {
    expect(check(steps)).toContain(message)
  })

  test('what is wrong in a workflow that a route leads to is told of that one', () => {
    const ship = workflowOf([unbound('x'), unbound('y', { onSuccess: 'x' })], { name: 'ship' })
    expect(check([unbound('a', { onSuccess: 'ship' })], [ship])).toEqual([
      expect.stringMatching(/^error ship 1\.on_success: this loop \(x, y\) never ends/),
    ])
  })
})

/** Every way a workflow can go, by trying each truth of each expression. Places are `list/index`. */
const bruteForce = ({ definition, others }: LinkedWorkflow) => {
  const lists = [definition, ...others]
  const seek = (list: WorkflowDefinition, name: string): string => {
    const own = list.steps.findIndex(({ id }) => id === name)
    if (own >= 0) return `${list.name}/${own}`
    return lists.some((one) => one.name === name) ? `${name}/0` : 'end'
  }
  const isBeside = (list: WorkflowDefinition, index: number): boolean =>
    list.steps.some((step, at) => at !== index && step.parallel.includes(list.steps[index]?.id ?? ''))
  const after = (list: WorkflowDefinition, index: number): string => {
    let next = index + 1
    while (next < list.steps.length && isBeside(list, next)) next += 1
    return next < list.steps.length ? `${list.name}/${next}` : 'end'
  }
  const play = (list: WorkflowDefinition, index: number, truths: readonly boolean[]): string => {
    const step = list.steps[index] as StepDefinition
    const told = [...truths]
    const isTrue = (text: string | null): boolean => {
      const free = told.shift() ?? false
      return text === null || text === 'true' || (text !== 'false' && free)
    }
    if (!isTrue(step.condition)) return after(list, index)
    if (step.finalStep) return 'end'
    for (const route of step.routes) if (isTrue(route.when)) return seek(list, route.to)
    return step.onSuccess === null ? after(list, index) : seek(list, step.onSuccess)
  }
  const waysFrom = (place: string): Set<string> => {
    const [name = '', at = ''] = place.split('/')
    const list = lists.find((one) => one.name === name) as WorkflowDefinition
    const free = 1 + (list.steps[Number(at)]?.routes.length ?? 0)
    const truths = Array.from({ length: 2 ** free }, (_, bits) =>
      Array.from({ length: free }, (__, bit) => ((bits >> bit) & 1) === 1),
    )
    return new Set(truths.map((one) => play(list, Number(at), one)))
  }
  const spread = (from: string): Set<string> => {
    const seen = new Set([from])
    for (const place of seen) if (place !== 'end') for (const next of waysFrom(place)) seen.add(next)
    return seen
  }
  const seen = spread(`${definition.name}/0`)
  const beside = [...seen].flatMap((place) => {
    const [name = '', at = ''] = place.split('/')
    const list = lists.find((one) => one.name === name)
    return (list?.steps[Number(at)]?.parallel ?? []).map(
      (id) => `${name}/${list?.steps.findIndex((one) => one.id === id)}`,
    )
  })
  return {
    reached: new Set([...seen, ...beside]),
    isEndless: [...seen].some((place) => place !== 'end' && !spread(place).has('end')),
  }
}

const ids = ['a', 'b', 'c', 'd', 'e']
const text = fc.constantFrom('true', 'false', 'x', "y == 'z'")
const target = fc.constantFrom(...ids, 'main', 'ship', 'end')
const anyStep = (id: string) =>
  fc
    .record({
      condition: fc.option(text, { freq: 4 }),
      onSuccess: fc.option(target, { freq: 2 }),
      routes: fc.array(fc.record({ when: fc.option(text, { freq: 4 }), to: target }), { maxLength: 3 }),
      finalStep: fc.boolean(),
      parallel: fc.oneof(
        { weight: 4, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.subarray(ids.slice(3)) },
      ),
    })
    .map((change) => unbound(id, { ...change, finalStep: change.finalStep && change.routes.length === 0 }))
const anyList = (name: string) =>
  fc
    .integer({ min: 1, max: ids.length })
    .chain((length) => fc.tuple(...ids.slice(0, length).map(anyStep)))
    .map((steps) => workflowOf(steps, { name }))

test('what cannot be reached, and what never ends, is what trying every way finds', () => {
  let [unreached, endless] = [0, 0]
  fc.assert(
    fc.property(anyList('main'), anyList('ship'), (definition, ship) => {
      const workflow = { definition, others: [ship] }
      const { reached, isEndless } = bruteForce(workflow)
      const problems = checkWorkflow(workflow, { roles: new Set(['dev', 'other']), workflows: new Set() })
      const told = problems.filter(({ message }) => message.startsWith('nothing leads to'))
      const all = definition.steps.map((_, index) => `main/${index}`)
      expect(told.map(({ workflow, path }) => `${workflow}/${String(path[0])}`)).toEqual(
        all.filter((place) => !reached.has(place)),
      )
      expect(problems.some(({ message }) => message.includes('never ends'))).toBe(isEndless)
      unreached += told.length > 0 ? 1 : 0
      endless += isEndless ? 1 : 0
    }),
    { numRuns: 500 },
  )
  expect(unreached).toBeGreaterThan(20)
  expect(endless).toBeGreaterThan(20)
})
