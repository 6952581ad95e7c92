import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend, CompletionInput } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { freshRoot } from './harness.ts'

interface Setting {
  root: string
  backend: Backend
  peer: Backend
}

const inSetting = async (work: (setting: Setting) => Promise<void>): Promise<void> => {
  const root = await freshRoot()
  const { context } = createFakes()
  const open = () => openFsBackend({ root, ...context })
  try {
    await work({ root, backend: await open(), peer: await open() })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const flow = { id: 'alpha-7-bug', name: 'Flow', state: 'running', currentStep: 0, data: {} }

const completion = (issueNumber: string, extra: Partial<CompletionInput> = {}): CompletionInput => ({
  project: 'alpha',
  issueNumber,
  agentType: 'developer',
  status: 'complete',
  summary: 'Done',
  payload: { agent_type: 'developer' },
  reportId: null,
  ...extra,
})

test('[C-WORKFLOW-5] [C-WORKFLOW-6] an edit in place of the same size, with the time set back, is in the next list', () =>
  inSetting(async ({ root, backend: { workflows } }) => {
    await workflows.save(flow)
    const path = join(root, 'workflows/alpha-7-bug.json')
    const made = new Date('2026-01-02T03:04:05Z')
    await utimes(path, made, made)
    expect([(await workflows.list({ state: 'running' })).items.length, await workflows.counts()]).toEqual([
      1,
      { running: 1 },
    ])
    await writeFile(path, (await readFile(path, 'utf8')).replace('running', 'pending'))
    await utimes(path, made, made)
    expect((await workflows.list({ state: 'pending' })).items).toMatchObject([{ id: flow.id, state: 'pending' }])
    expect((await workflows.list({ state: 'running' })).items).toEqual([])
    expect(await workflows.counts()).toEqual({ pending: 1 })
  }))

test('[C-FILES-3] a file swapped for a symlink vanishes from list and counts', () =>
  inSetting(async ({ root, backend: { workflows, taskFiles } }) => {
    await workflows.save(flow)
    await taskFiles.save({ project: 'alpha', filename: 'a.md', content: 'text', issueNumber: '7' })
    await writeFile(join(root, 'outside'), JSON.stringify(flow))
    expect([(await workflows.list()).items.length, (await taskFiles.list()).items.length]).toEqual([1, 1])
    for (const path of ['workflows/alpha-7-bug.json', 'tasks/alpha/active/a.md']) {
      await rm(join(root, path))
      await symlink(join(root, 'outside'), join(root, path))
    }
    expect([(await workflows.list()).items, (await taskFiles.list()).items]).toEqual([[], []])
    expect(await workflows.counts()).toEqual({})
  }))

test('[C-TASK-3] another issue number is in the next list of whoever lists, and so is a move', () =>
  inSetting(async ({ backend, peer }) => {
    const file = { project: 'alpha', filename: 'a.md', content: 'text' }
    const listed = async (issueNumber: string) =>
      (await peer.taskFiles.list({ issueNumber })).items.map(({ state, filename }) => `${state}/${filename}`)
    await backend.taskFiles.save({ ...file, issueNumber: '7' })
    expect([await listed('7'), await listed('8')]).toEqual([['active/a.md'], []])
    await backend.taskFiles.save({ ...file, issueNumber: '8' })
    expect([await listed('7'), await listed('8')]).toEqual([[], ['active/a.md']])
    await backend.taskFiles.close('alpha', 'a.md')
    expect(await listed('8')).toEqual(['closed/a.md'])
  }))

test('[C-COMPLETION-6] what another process saves and deletes is in the next scan', () =>
  inSetting(async ({ backend, peer }) => {
    const shown = async () => (await peer.completions.scan()).items.map(({ agentType }) => agentType)
    await backend.completions.save(completion('7'))
    expect(await shown()).toEqual(['developer'])
    const { dedupKey } = await backend.completions.save(completion('7', { agentType: 'reviewer' }))
    expect(await shown()).toEqual(['reviewer'])
    await backend.completions.delete(dedupKey)
    expect(await shown()).toEqual(['developer'])
    await backend.completions.delete('7:developer:complete')
    expect(await shown()).toEqual([])
  }))

test('[C-COMPLETION-9] reading one issue imports its drops, in every project, and leaves those of others for later', () =>
  inSetting(async ({ root, backend: { completions } }) => {
    for (const [project, issueNumber] of [
      ['alpha', '7'],
      ['beta', '7'],
      ['alpha', '8'],
    ]) {
      const folder = join(root, 'tasks', String(project), 'completions')
      await mkdir(folder, { recursive: true })
      await writeFile(
        join(folder, `completion_summary_${issueNumber}.json`),
        '{"agent_type":"developer","summary":"Done"}',
      )
    }
    const imported = async () => (await readdir(join(root, 'tasks/alpha/completions/.by-key'))).length
    expect((await completions.scan({ issueNumber: '7' })).items.map(({ project }) => project).sort()).toEqual([
      'alpha',
      'beta',
    ])
    expect(await imported()).toBe(1)
    expect((await completions.history('8', { project: 'alpha' })).items).toMatchObject([{ issueNumber: '8' }])
    expect(await imported()).toBe(2)
  }))

test('[C-ALL-9] a damaged record is listed beside the latest of its issue', () =>
  inSetting(async ({ root, backend: { completions }, peer }) => {
    await completions.save(completion('7'))
    const folder = join(root, 'tasks/alpha/completions/.by-key')
    const [issue = ''] = await readdir(folder)
    const [first = ''] = await readdir(join(folder, issue))
    await completions.save(completion('7', { agentType: 'reviewer' }))
    await writeFile(join(folder, issue, first), '{"cut')
    for (const limit of [1, 2]) {
      const page = await peer.completions.scan({ limit })
      expect(page.items).toMatchObject([{ agentType: 'reviewer' }])
      const rest = page.cursor === null ? page : await peer.completions.scan({ limit, cursor: page.cursor })
      expect(rest.corrupt).toMatchObject([{ place: join(folder, issue, first) }])
      expect(rest.cursor).toBeNull()
    }
  }))
