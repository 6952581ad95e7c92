import { expect, test } from 'vitest'
import { createFakes, createMemoryData, openMemoryBackend, openMemoryHarness, testBackend } from '../src/index.ts'

testBackend({ name: 'memory', open: () => openMemoryHarness() })

test('[C-ALL-9] a copy of unreadable data is kept before it is replaced', async () => {
  const data = createMemoryData()
  const updatedAt = new Date(0)
  data.hostState.set('launched_agents', { text: '{"cut', updatedAt })
  const columns = { name: 'Old', state: 'running', currentStep: 0, createdAt: updatedAt, updatedAt }
  data.workflows.set('alpha-7-full', { id: 'alpha-7-full', ...columns, text: 'not json' })
  await using backend = openMemoryBackend(createFakes().context, data)
  const { corrupt } = await backend.workflows.list()
  const workflow = { id: 'alpha-7-full', name: 'New', state: 'running', currentStep: 0, data: {} }
  await backend.workflows.save(workflow, { ifRev: corrupt[0]?.rev })
  const rev = await backend.hostState.load('launched_agents').catch((error: { rev: string }) => error.rev)
  await backend.hostState.save('launched_agents', {}, { ifRev: String(rev) })
  expect(data.kept.map(({ text }) => text)).toEqual(['not json', '{"cut'])
  expect(await backend.hostState.load('launched_agents')).toMatchObject({ value: {} })
})
