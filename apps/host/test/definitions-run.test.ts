import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { awaitsApproval, documentOf, steerWorkflow } from '@nexus/engine'
import { expect, test } from 'vitest'
import { definitionNames, definitionPath, definitionRoles, definitionRuns } from './definition-runs.ts'
import { agentPath, useBench } from './host-harness.ts'
import { until } from './until.ts'

/** Steps that run side by side may start in any order. */
const inOrder = (name: string, steps: readonly string[]): string =>
  (name === 'parallel' ? [...steps].sort() : steps).join(' ')

const bench = useBench()

const approveAll = async (): Promise<void> => {
  const { items } = await bench().stores.workflows.list({ state: 'paused', limit: 100 })
  const order = { type: 'approve', at: new Date().toISOString(), by: 'me', comment: null } as const
  for (const workflow of items)
    if (awaitsApproval(documentOf(workflow))) await steerWorkflow(bench().stores, workflow.id, order)
}

test('every definition of the field runs with real agents, its reports choosing the way', async () => {
  const names = definitionNames()
  const command = ['node', agentPath('scripted.mjs')]
  await bench().write({
    concurrency: 6,
    projects: Object.fromEntries(names.map((name) => [name, { workspace: bench().workspace, workflow: name }])),
    agents: Object.fromEntries(definitionRoles.map((role) => [role, { command }])),
    workflows: Object.fromEntries(names.map((name) => [name, definitionPath(name)])),
  })
  const scripts = definitionRuns.flatMap(([, reports], index) =>
    Object.entries(reports).map(([step, said]) => [`${index + 1}/${step}`, said]),
  )
  await writeFile(join(bench().workspace, 'script.json'), JSON.stringify(Object.fromEntries(scripts)))
  await bench().stores.inbox.enqueue(
    definitionRuns.map(([project, , , tier = 'full'], index) => ({
      project,
      filename: `${index + 1}.md`,
      markdown: `**Tier:** ${tier}\n\ntext`,
      issueNumber: String(index + 1),
    })),
  )
  const host = await bench().open({ timing: { pausedMinMs: 100 } })
  const ended = new AbortController()
  const run = host.run({ once: false, signal: ended.signal })
  await until(
    'all tasks to be done',
    async () => {
      await approveAll()
      const { pending, processing } = await bench().stores.inbox.counts()
      return pending === 0 && processing === 0
    },
    120_000,
  )
  ended.abort()
  await run
  const starts = await bench().starts()
  const ran = definitionRuns.map(([name], index) =>
    inOrder(
      name,
      starts.filter(({ issue }) => issue === String(index + 1)).map(({ step }) => step),
    ),
  )
  const meant = definitionRuns.map(([name, , launches]) =>
    inOrder(
      name,
      launches.split(' ').filter((word) => word !== 'approved'),
    ),
  )
  expect(ran).toEqual(meant)
  expect(await bench().stores.inbox.counts()).toMatchObject({ done: definitionRuns.length, failed: 0 })
})
