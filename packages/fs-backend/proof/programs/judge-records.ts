import { type Backend, isJsonObject, type JsonValue } from '@nexus/core'
import { type Call, type CrowdRecord, callsOf, grouped, stampIn } from './crowd-log.ts'
import type { Tally } from './crowd-tally.ts'
import { shared } from './member-records.ts'
import { allOf } from './observe.ts'

const statusOf = ({ answer }: Call): string | null =>
  isJsonObject(answer) && typeof answer['status'] === 'string' ? answer['status'] : null

const isCut = ({ answer, error }: Call): boolean => answer === undefined && error === undefined

/** Every increment that was acknowledged is in it, and no more than those that were cut off besides. */
const judgeCount = (name: string, value: number, calls: readonly Call[], given: string, tally: Tally): void => {
  const saved = calls.filter((call) => statusOf(call) === 'saved')
  const cut = calls.filter(isCut).length
  tally.count('increments', saved.length)
  const values = new Set(saved.map(({ answer }) => isJsonObject(answer) && answer[given]))
  if (values.size < saved.length) tally.fault('lost', `${name}: ${saved.length - values.size} were given twice`)
  if (value < saved.length) tally.fault('lost', `${name} is ${value} after ${saved.length}`)
  if (value > saved.length + cut) tally.fault('torn', `${name} is ${value} after ${saved.length} and ${cut} cut off`)
}

/** The last of plain saves wins: none that was over before another one began. */
const judgeLast = (name: string, text: unknown, calls: readonly Call[], tally: Tally): void => {
  const stamp = stampIn(text)
  const writer = calls.find(({ by, n }) => `${by} ${n}` === stamp)
  if (!writer) {
    tally.fault('torn', `${name} reads ${String(text).slice(0, 80)}`)
    return
  }
  const later = calls.find(({ start, answer }) => answer !== undefined && start > writer.end)
  if (later) tally.fault('order', `${name} is by ${stamp}, and ${later.by} ${later.n} wrote after that`)
}

const judgeState = async ({ hostState, workflows }: Backend, calls: Map<string, Call[]>, tally: Tally) => {
  const of = (op: string): Call[] => calls.get(op) ?? []
  const counter = (await hostState.load(shared.counter))?.value
  judgeCount('counter', Number(counter ?? 0), of('counter'), 'value', tally)
  const members = (await hostState.load(shared.members))?.value ?? {}
  for (const [by, own] of grouped(of('member'), (call) => call.by)) {
    const last = own.findLast((call) => statusOf(call) === 'saved')?.about ?? null
    const cut = own.filter(isCut).map(({ about }) => about)
    const value: JsonValue = isJsonObject(members) ? (members[by] ?? null) : members
    if (value !== last && !cut.includes(value)) tally.fault('lost', `member ${by} is ${value}, expected ${last}`)
  }
  for (const id of shared.flows) {
    const flow = await workflows.load(id)
    const own = of('flow').filter(({ about }) => about === id)
    judgeCount(id, flow?.currentStep ?? 0, own, 'count', tally)
    if (flow && stampIn(flow.data['text']) === null) tally.fault('torn', `${id} reads otherwise`)
  }
}

const judgeCompletions = async ({ completions }: Backend, saves: readonly Call[], tally: Tally) => {
  for (const issue of shared.issues) {
    const { items, corrupt } = await completions.history(issue)
    for (const { place } of corrupt) tally.fault('torn', place)
    for (const agent of shared.agents) {
      const own = saves.filter(({ about }) => about === `${issue}:${agent}`)
      const found = items.filter(({ agentType }) => agentType === agent)
      const isSaved = own.some(({ answer }) => answer !== undefined)
      if (found.length > 1 || own.filter((call) => statusOf(call) === 'created').length > 1)
        tally.fault('dup', `completion ${issue}:${agent}`)
      if (found.length === 0 && isSaved) tally.fault('lost', `completion ${issue}:${agent}`)
      for (const { summary } of found) judgeLast(`completion ${issue}:${agent}`, summary, own, tally)
    }
  }
}

const judgeFiles = async ({ taskFiles }: Backend, saves: readonly Call[], tally: Tally) => {
  const { items, corrupt } = await allOf((request) => taskFiles.list(request))
  for (const place of corrupt) tally.fault('torn', place)
  const names: readonly string[] = shared.files
  for (const { filename } of items) if (!names.includes(filename)) tally.fault('dup', `task file ${filename}`)
  for (const filename of names) {
    const own = saves.filter(({ about }) => about === filename)
    const found = items.filter((item) => item.filename === filename)
    if (found.length > 1) tally.fault('dup', `task file ${filename}`)
    if (found.length === 0 && own.some(({ answer }) => answer !== undefined)) tally.fault('lost', filename)
    for (const { content } of found) judgeLast(filename, content, own, tally)
  }
}

export const judgeRecords = async (record: CrowdRecord, backend: Backend, tally: Tally): Promise<void> => {
  const byOp = grouped(record.members.flatMap(callsOf), ({ op }) => op)
  for (const { answer } of byOp.get('look') ?? [])
    if (isJsonObject(answer) && Array.isArray(answer['torn']))
      for (const text of answer['torn']) tally.fault('torn', `a reader saw ${text}`)
  await judgeState(backend, byOp, tally)
  await judgeCompletions(backend, byOp.get('completion') ?? [], tally)
  await judgeFiles(backend, byOp.get('task.save') ?? [], tally)
}
