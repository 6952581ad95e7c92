import type { JsonObject } from '@nexus/core'
import { createDocument, linkTiers, readDocument, readWorkflow, toData } from '@nexus/engine'
import { expect, test } from 'vitest'
import { promptFor } from '../src/task/prompt.ts'

/** The prompt of the only step of a workflow, as its document comes back from a store. */
const promptOf = (step: object): string => {
  const written = { id: 'develop', agent_type: 'developer', prompt: 'Make the change.', ...step }
  const { workflow } = readWorkflow('chain', { steps: [written] })
  const linked = linkTiers(new Map([['chain', workflow]]), 'chain').full
  if (!linked) throw new Error('the workflow cannot be read')
  const given = {
    id: 'shop-5-feature',
    name: 'chain',
    project: 'shop',
    issueNumber: '5',
    description: '',
    metadata: {},
  }
  const document = createDocument({ ...given, ...linked })
  const stored = readDocument(JSON.parse(JSON.stringify(toData(document))) as JsonObject)
  const [first] = stored.steps
  if (!first) throw new Error('the document has no step')
  return promptFor({ document: stored, step: first, markdown: 'Text.', issueNumber: '5', summaryFile: '/s.json' })
}

test('an agent is told what its step says besides: inputs, outputs, tools and members that nobody knows', () => {
  const context = {
    inputs: { plan: 'plan.md' },
    outputs: ['patch'],
    tools: ['shell'],
    context_policy: 'fresh',
    mood: { calm: true },
  }
  const prompt = promptOf({ ...context, timeout_seconds: 5, nothing: null })
  const [, json = ''] = /^## What the workflow says of this step besides\n\n(.*?)\n\n## Task/ms.exec(prompt) ?? []
  expect(JSON.parse(json)).toEqual(context)
})

test('an agent whose step says nothing besides reads nothing of it', () => {
  expect(promptOf({})).toMatch(/^Make the change\.\n\n## Task \(issue 5\)/)
})
