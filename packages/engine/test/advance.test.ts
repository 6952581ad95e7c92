import type { Completion, CompletionStatus, JsonObject } from '@nexus/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { advance } from '../src/advance.ts'
import { createDocument } from '../src/create.ts'
import { createAttemptId, readDocument, type WorkflowDocument } from '../src/document.ts'
import type { Effect, EngineEvent } from '../src/event.ts'

const at = '2026-03-01T12:00:00.000Z'
const atMs = Date.parse(at)

const chain = (agents: readonly string[], change: Record<number, { onSuccess?: string; finalStep?: boolean }> = {}) =>
  createDocument({
    id: 'shop-1-feature',
    name: 'a task',
    project: 'shop',
    issueNumber: '1',
    description: '',
    metadata: {},
    others: [],
    definition: {
      name: 'chain',
      version: '1.0',
      description: '',
      timeoutMs: null,
      requireMergeApproval: false,
      steps: agents.map((agentType, index) => ({
        id: `s${index + 1}`,
        name: `Step ${index + 1}`,
        agentType,
        prompt: '',
        condition: null,
        onSuccess: change[index]?.onSuccess ?? null,
        routes: [],
        parallel: [],
        finalStep: change[index]?.finalStep ?? false,
        requireApproval: false,
        timeoutMs: null,
        retry: null,
        maxIterations: null,
        context: {},
      })),
    },
  })

const attempt = (n: number): string => createAttemptId(`0000000${n}`)

interface Said {
  agent: string
  status?: CompletionStatus
  reportId?: string | null
  rev?: string
  journaled?: true
  payload?: JsonObject
}

const completion = ({
  agent,
  status = 'complete',
  reportId = null,
  rev = `rev-${agent}`,
  payload = {},
  journaled,
}: Said): Completion => ({
  project: 'shop',
  issueNumber: '1',
  agentType: agent,
  status,
  summary: `${agent} says so`,
  payload,
  reportId,
  dedupKey: `1:${agent}:${status}`,
  createdAt: new Date(at),
  savedAt: new Date(at),
  rev,
  ...(journaled && { journaled }),
})

const holding = { task: 't1', attempts: 0, recoveries: 0, epoch: 1 }

const start = (n: number, baseline: string[] = [], isPartial = false): EngineEvent => ({
  type: 'start',
  at,
  holding,
  launch: { attempt: attempt(n), baseline, isPartial },
})

const report = (n: number, said: Said, baseline: string[] = []): EngineEvent => ({
  type: 'report',
  at,
  completion: completion(said),
  holding,
  launch: { attempt: attempt(n), baseline, isPartial: false },
})

const ended = (n: number, of: string, fault: 'agent' | 'surroundings' = 'agent'): EngineEvent => ({
  type: 'agent-ended',
  at,
  attempt: of,
  error: 'it crashed',
  fault,
  holding,
  launch: { attempt: attempt(n), baseline: [], isPartial: false },
})

const play = (document: WorkflowDocument, ...events: EngineEvent[]) => {
  const effects: Effect[] = []
  let present = document
  for (const event of events) {
    const next = advance(present, event)
    present = next.document
    effects.push(...next.effects)
  }
  return { document: present, effects }
}

const statuses = ({ steps }: WorkflowDocument): string[] => steps.map(({ status }) => status)

describe('advance', () => {
  test('a chain runs one step after the other and then completes the task', () => {
    const { document, effects } = play(
      chain(['triage', 'developer']),
      start(1),
      report(2, { agent: 'triage', reportId: attempt(1) }),
      report(3, { agent: 'developer', reportId: attempt(2) }),
    )
    expect(effects).toEqual([
      { type: 'launch', step: 's1', attempt: attempt(1) },
      { type: 'launch', step: 's2', attempt: attempt(2) },
      { type: 'complete-task' },
    ])
    expect(document).toMatchObject({ state: 'completed', completed_at: at })
  })

  test('blocked pauses with the words of the agent, and the step runs anew when a person says so', () => {
    const paused = play(
      chain(['triage']),
      start(1),
      report(2, { agent: 'triage', status: 'blocked', reportId: attempt(1) }),
    )
    expect(paused.document).toMatchObject({ state: 'paused', paused_reason: 'triage says so' })
    expect(play(paused.document, start(3)).effects).toEqual([])

    const resumed = play({ ...paused.document, state: 'running' }, start(3))
    expect(resumed.effects).toEqual([{ type: 'launch', step: 's1', attempt: attempt(3) }])
    expect(resumed.document).toMatchObject({
      paused_reason: null,
      steps: [{ passes: [{ attempt_id: attempt(1), report: { status: 'blocked', summary: 'triage says so' } }] }],
    })
  })

  test('in-progress changes nothing', () => {
    const running = play(chain(['triage']), start(1)).document
    expect(advance(running, report(2, { agent: 'triage', status: 'in-progress', reportId: attempt(1) })).document).toBe(
      running,
    )
  })

  test.each([
    ['none', ['completed', 'skipped', 'skipped']],
    ['Done', ['completed', 'skipped', 'skipped']],
    ['', ['completed', 'skipped', 'skipped']],
    ['@Reviewer', ['completed', 'skipped', 'running']],
    ['developer', ['completed', 'running', 'pending']],
    ['nobody-we-know', ['completed', 'running', 'pending']],
    [null, ['completed', 'running', 'pending']],
  ])('next_agent %j', (next_agent, expected) => {
    const said = { agent: 'triage', reportId: attempt(1), payload: { next_agent } }
    expect(statuses(play(chain(['triage', 'developer', 'reviewer']), start(1), report(2, said)).document)).toEqual(
      expected,
    )
  })

  test('on_success skips, and a final step is the last', () => {
    const agents = ['triage', 'developer', 'reviewer', 'writer']
    const { document } = play(
      chain(agents, { 0: { onSuccess: 's3' }, 2: { finalStep: true } }),
      start(1),
      report(2, { agent: 'triage', reportId: attempt(1) }),
      report(3, { agent: 'reviewer', reportId: attempt(2) }),
    )
    expect(statuses(document)).toEqual(['completed', 'skipped', 'completed', 'skipped'])
    expect(document.state).toBe('completed')
  })

  test('an agent that ended without an answer fails the step, and a retry is a new attempt of it', () => {
    const failed = play(chain(['triage']), start(1), ended(2, attempt(1)))
    expect(failed.effects.at(-1)).toEqual({ type: 'fail-task', error: 'it crashed', fatal: false })
    expect(failed.document).toMatchObject({ state: 'failed', failure: { epoch: 1 }, steps: [{ status: 'failed' }] })
    const retried = play(failed.document, start(3))
    expect(retried.effects).toEqual([{ type: 'launch', step: 's1', attempt: attempt(3) }])
    expect(retried.document).toMatchObject({ state: 'running', failure: null, steps: [{ retry_count: 1 }] })
  })

  test('an attempt that ended by no fault of its own is run again, a bounded number of times', () => {
    let { document } = play(chain(['triage']), start(1))
    let launches = 0
    for (let n = 2; document.state === 'running'; n += 1) {
      const next = advance(document, ended(n, document.steps[0]?.attempt_id ?? '', 'surroundings'))
      launches += next.effects.filter(({ type }) => type === 'launch').length
      document = next.document
    }
    expect(launches).toBe(5)
    expect(document.state).toBe('failed')
  })

  test('the end of an earlier attempt says nothing about the present one', () => {
    const { document } = play(
      chain(['triage', 'developer']),
      start(1),
      report(2, { agent: 'triage', reportId: attempt(1) }),
    )
    expect(advance(document, ended(3, attempt(1))).document).toBe(document)
  })

  test('a loop keeps what the earlier pass said, and the same words again are news', () => {
    const back = chain(['developer', 'reviewer'], { 1: { onSuccess: 's1' } })
    const { document, effects } = play(
      back,
      start(1),
      report(2, { agent: 'developer', reportId: attempt(1) }),
      report(3, { agent: 'reviewer', reportId: attempt(2) }),
      report(4, { agent: 'developer', reportId: attempt(3) }),
    )
    expect(effects.map((effect) => ('step' in effect ? effect.step : effect.type))).toEqual(['s1', 's2', 's1', 's2'])
    expect(document.steps[0]).toMatchObject({ iteration: 1, passes: [{ report: { report_id: attempt(1) } }] })
  })

  test.each<[string, Said, boolean]>([
    ['its own attempt', { agent: 'triage', reportId: attempt(1) }, true],
    ['its own attempt, spelled @Triage', { agent: '@Triage', reportId: attempt(1) }, true],
    ['another attempt', { agent: 'triage', reportId: attempt(9) }, false],
    ['another agent', { agent: 'developer', reportId: attempt(1) }, false],
    ['nobody knows which run, and it is new', { agent: 'triage', reportId: null }, true],
    ['nobody knows which run, and it was there before', { agent: 'triage', reportId: null, rev: 'old' }, false],
    ['a file written after the launch', { agent: 'triage', reportId: `drop:${atMs}:ab` }, true],
    ['a file written before the launch', { agent: 'triage', reportId: `drop:${atMs - 1}:ab` }, false],
    ['an attempt id that an agent made up', { agent: 'triage', reportId: 'run-1' }, true],
    [
      'this step by id',
      { agent: 'triage', payload: { step_id: 's1', step_num: '1', workflow_id: 'shop-1-feature' } },
      true,
    ],
    ['this step by name', { agent: 'triage', payload: { step_id: 'Step 1' } }, true],
    ['another step', { agent: 'triage', reportId: attempt(1), payload: { step_id: 's2' } }, false],
    ['another step number', { agent: 'triage', payload: { step_num: '2' } }, false],
    ['another workflow', { agent: 'triage', payload: { workflow_id: 'shop-2-feature' } }, false],
  ])('a report about %s', (_, said, advances) => {
    const running = play(chain(['triage', 'developer']), start(1, ['old'])).document
    expect(advance(running, report(2, said)).document !== running).toBe(advances)
  })

  test.each<[string, Said, boolean]>([
    ['its own attempt', { agent: 'triage', reportId: attempt(1) }, true],
    ['a file written after the launch', { agent: 'triage', reportId: `drop:${atMs}:ab` }, true],
    ['a file written before the launch', { agent: 'triage', reportId: `drop:${atMs - 1}:ab` }, false],
    [
      'nobody knows which run, and the journal had it at the launch',
      { agent: 'triage', rev: 'old', journaled: true },
      false,
    ],
    ['nobody knows which run, and the journal got it since', { agent: 'triage', journaled: true }, true],
    ['nobody knows which run, and it may be older', { agent: 'triage' }, false],
    ['an attempt id that an agent made up, and it may be older', { agent: 'triage', reportId: 'run-1' }, false],
  ])('[C-ROUTE-9] launched while the database was away: a report about %s', (_, said, advances) => {
    const running = play(chain(['triage', 'developer']), start(1, ['old'], true)).document
    expect(advance(running, report(2, said)).document !== running).toBe(advances)
  })

  test('what is reported without a name after everything could be listed again is news', () => {
    const all = { attempt: attempt(2), baseline: ['old', 'older'], isPartial: false }
    const { document } = play(chain(['triage']), start(1, ['old'], true), {
      type: 'baseline',
      at,
      attempt: attempt(1),
      launch: all,
    })
    expect(document.steps[0]).toMatchObject({ attempt_id: attempt(1), baseline_partial: false })
    expect(play(document, report(3, { agent: 'triage', rev: 'older' })).document).toBe(document)
    expect(play(document, report(3, { agent: 'triage', rev: 'new' })).document.state).toBe('completed')
    expect(play(document, { type: 'baseline', at, attempt: attempt(1), launch: all }).document).toBe(document)
  })

  test('a document of the earlier implementation is continued, and what is not ours stays', () => {
    const document = readDocument({
      id: 'shop-7-bug',
      state: 'running',
      current_step: 1,
      monitoring: { a: 1 },
      steps: [
        { step_num: '1', name: 'triage', agent: { name: 'triage', tools: ['x'] }, status: 'completed', routes: [] },
        { step_num: '2', name: 'develop', agent: { name: 'developer' }, status: 'running' },
      ],
    })
    const { document: next, effects } = play(document, start(1))
    expect(effects).toEqual([{ type: 'launch', step: 'develop', attempt: attempt(1) }])
    expect(next).toMatchObject({ monitoring: { a: 1 }, steps: [{ agent: { tools: ['x'] }, routes: [] }, {}] })
  })

  test('a document without readable steps is refused: saving it would lose them', () => {
    expect(() => readDocument({ id: 'w', state: 'running', steps: 'none' })).toThrow('no steps that can be read')
  })

  test('however often and in whatever order events come, no effect is lost or repeated', () => {
    const agents = ['triage', 'designer', 'developer', 'reviewer']
    const told: Said[] = [
      ...agents.map((agent) => ({ agent })),
      { agent: 'developer', status: 'in-progress', rev: 'p' },
    ]
    const order = fc.array(fc.integer({ min: -1, max: told.length - 1 }), { maxLength: 60 })
    fc.assert(
      fc.property(order, (drawn) => {
        let fresh = 0
        const deliver = (index: number): EngineEvent => {
          fresh += 1
          const said = told[index]
          return said ? report(fresh, said) : start(fresh)
        }
        const settled = [-1, ...told.keys()].flatMap((index) => [index, index])
        const events = [...drawn, ...settled].map(deliver)
        const { document, effects } = play(chain(agents), ...events)
        expect(effects.map((effect) => ('step' in effect ? effect.step : effect.type))).toEqual([
          's1',
          's2',
          's3',
          's4',
          'complete-task',
        ])
        expect(effects.flatMap((effect) => ('attempt' in effect ? [effect.attempt] : []))).toEqual(
          document.steps.map(({ attempt_id }) => attempt_id),
        )
      }),
    )
  })
})
