import type { Backend, JsonValue } from '@nexus/core'
import { stamped, stampIn } from './crowd-log.ts'
import type { Dice } from './dice.ts'

/** One call of a store, and what is said of it beforehand. */
export interface Act {
  op: string
  about: JsonValue
  run(): Promise<JsonValue>
}

export type Acts = readonly [weight: number, make: (n: number) => Act | null][]

export const shared = {
  project: 'alpha',
  counter: 'counter',
  members: 'members',
  flows: ['flow-0', 'flow-1', 'flow-2'],
  issues: ['1', '2'],
  agents: ['developer', 'reviewer'],
  files: ['one.md', 'two.md'],
} as const

/** What is read must be whole, whoever is writing meanwhile. */
const look = async ({ hostState, workflows, completions, taskFiles }: Backend, dice: Dice): Promise<JsonValue> => {
  const texts: unknown[] = []
  const flow = await workflows.load(dice.pick(shared.flows))
  if (flow) texts.push(flow.data['text'])
  const file = await taskFiles.load(shared.project, dice.pick(shared.files))
  if (file) texts.push(file.content)
  for (const { summary, payload } of (await completions.history(dice.pick(shared.issues))).items)
    texts.push(summary, payload['text'])
  await hostState.load(shared.members)
  return { torn: texts.filter((text) => stampIn(text) === null).map((text) => String(text).slice(0, 80)) }
}

/** Random calls on the records that all members share. */
export const recordActs = (backend: Backend, name: string, dice: Dice): Acts => {
  const { hostState, workflows, completions, taskFiles } = backend
  const saveFlow = async (id: string, n: number): Promise<JsonValue> => {
    const before = await workflows.load(id)
    const count = (before?.currentStep ?? 0) + 1
    const data = { text: stamped(`${name} ${n}`) }
    const flow = { id, name: id, state: 'running', currentStep: count, data }
    const { status } = await workflows.save(flow, { ifRev: before?.rev ?? null })
    return { status, count }
  }
  const report = (n: number, issueNumber: string, agentType: string) => ({
    project: shared.project,
    issueNumber,
    agentType,
    status: 'complete' as const,
    summary: stamped(`${name} ${n}`),
    payload: { text: stamped(`${name} ${n}`) },
    reportId: `${name}-${n}`,
  })
  const move = (verb: 'close' | 'reopen') => (): Act => {
    const filename = dice.pick(shared.files)
    return { op: `task.${verb}`, about: filename, run: async () => ({ ...(await taskFiles[verb]('alpha', filename)) }) }
  }
  return [
    [
      4,
      () => ({
        op: 'counter',
        about: null,
        run: async () => ({ ...(await hostState.update(shared.counter, (value) => Number(value ?? 0) + 1)) }),
      }),
    ],
    [
      3,
      (n) => ({
        op: 'member',
        about: n,
        run: async () => ({ ...(await hostState.patch(shared.members, { entries: { [name]: n } })) }),
      }),
    ],
    [
      3,
      (n) => {
        const id = dice.pick(shared.flows)
        return { op: 'flow', about: id, run: () => saveFlow(id, n) }
      },
    ],
    [
      2,
      (n) => {
        const [issue, agent] = [dice.pick(shared.issues), dice.pick(shared.agents)]
        const run = async () => ({ ...(await completions.save(report(n, issue, agent))) })
        return { op: 'completion', about: `${issue}:${agent}`, run }
      },
    ],
    [
      2,
      (n) => {
        const filename = dice.pick(shared.files)
        const save = { project: shared.project, filename, content: stamped(`${name} ${n}`) }
        return { op: 'task.save', about: filename, run: async () => ({ ...(await taskFiles.save(save)) }) }
      },
    ],
    [1, move('close')],
    [1, move('reopen')],
    [2, () => ({ op: 'look', about: null, run: () => look(backend, dice) })],
  ]
}
