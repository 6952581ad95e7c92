import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '@nexus/core'
import { type ExistingTree, existingTrees, treeDigests } from '@nexus/testkit/existing'
import { describe, expect, test } from 'vitest'
import { allOf, changesIn, type ExistingPlace, existingPlace } from './existing.ts'

const below = (tree: ExistingTree, folder: string): string[] =>
  tree.corrupt.filter((path) => path.startsWith(`.nexus/${folder}/`)).map((path) => path.replace('.nexus/', ''))

const checkWorkflows = async ({ workflows }: Backend, tree: ExistingTree): Promise<void> => {
  const { items, corrupt } = await allOf((page) => workflows.list(page))
  expect(items.map(({ id }) => id).sort()).toEqual(tree.readable.workflows)
  expect(corrupt.map(({ name }) => `workflows/${name}.json`).sort()).toEqual(below(tree, 'workflows').sort())
  for (const { name } of corrupt)
    await expect(workflows.load(name)).rejects.toMatchObject({ code: 'corrupt', rev: expect.any(String) })
  for (const { id, data, state, currentStep } of items) {
    const { content } = tree.files.find(({ path }) => path === `.nexus/workflows/${id}.json`) ?? {}
    const document = JSON.parse(String(content))
    expect(data).toEqual({ ...document, id, current_step: 1 })
    expect([state, currentStep]).toEqual([document.state, 1])
  }
}

const checkHostState = async ({ hostState }: Backend, tree: ExistingTree): Promise<void> => {
  const unreadable = below(tree, 'state').map((path) => path.slice('state/'.length, -'.json'.length))
  const { items } = await allOf((page) => hostState.keys(page))
  expect(items).toEqual([...tree.readable.hostState, ...unreadable].sort())
  for (const key of tree.readable.hostState) {
    const { content } = tree.files.find(({ path }) => path === `.nexus/state/${key}.json`) ?? {}
    expect((await hostState.load(key))?.value).toEqual(JSON.parse(String(content)))
  }
  for (const key of unreadable)
    await expect(hostState.load(key)).rejects.toMatchObject({ code: 'corrupt', rev: expect.any(String) })
}

const checkTaskFiles = async ({ taskFiles }: Backend, tree: ExistingTree): Promise<void> => {
  const { items, corrupt } = await allOf((page) => taskFiles.list(page))
  const shown = items.map(({ project, state, filename }) => `${project}/${state}/${filename}`)
  const unreadable = below(tree, 'tasks').filter((path) => !path.includes('/completions/'))
  expect(corrupt.map(({ place }) => place.slice(place.indexOf('tasks/')))).toEqual(unreadable)
  expect(shown.sort()).toEqual(tree.readable.taskFiles)
  for (const { project, state, filename, content } of items) {
    const file = tree.files.find(({ path }) => path === `.nexus/tasks/${project}/${state}/${filename}`)
    expect(content).toBe(file?.content)
  }
}

const checkCompletions = async (
  { completions }: Backend,
  tree: ExistingTree,
  { advance, reported }: ExistingPlace,
): Promise<void> => {
  await completions.scan()
  advance(60_000)
  const { items, corrupt } = await allOf((page) => completions.scan(page))
  const shown = items.map(({ project, issueNumber, agentType }) => `${project}/${issueNumber}/${agentType}`)
  expect(shown.sort()).toEqual(tree.readable.completions)
  expect(corrupt).toEqual([])
  expect([...reported].sort()).toEqual(
    below(tree, 'tasks')
      .filter((path) => path.includes('/completions/'))
      .map((path) => `.nexus/${path}`)
      .sort(),
  )
  for (const { project, issueNumber, payload } of items) {
    const summary = `.nexus/tasks/${project}/completions/completion_summary_${issueNumber}.json`
    const { content } = tree.files.find(({ path }) => path === summary) ?? {}
    expect(payload).toEqual(JSON.parse(String(content)))
  }
}

const checkInbox = async ({ inbox }: Backend, tree: ExistingTree): Promise<void> => {
  const { items } = await allOf((page) => inbox.list(page))
  expect(items.map(({ project, filename }) => `${project}/${filename}`).sort()).toEqual(tree.readable.inbox)
  for (const { project, filename, markdown, status } of items) {
    const { content } = tree.files.find(({ path }) => path === `.nexus/inbox/${project}/${filename}`) ?? {}
    // Hosts hand the words on to programs that take no NUL: the inbox gives them out repaired, the file keeps it.
    expect([markdown, status]).toEqual([String(content).replaceAll('\0', '\ufffd'), 'pending'])
  }
}

/** Does one piece of work in each store; answers which files may have changed by it, and which may be new. */
const work = async ({ workflows, completions, hostState, taskFiles, inbox }: Backend) => {
  const changed: string[] = []
  const added: string[] = []

  const [task] = await inbox.claim({ worker: 'w', limit: 1, leaseMs: 300_000 })
  if (!task) throw new Error('nothing was claimed')
  expect(await inbox.complete(task.claim)).toEqual({ status: 'done' })
  changed.push(`.nexus/inbox/${task.project}/${task.filename}`)

  const report = { project: 'web', issueNumber: '900', agentType: 'developer', reportId: 'r1' }
  const saved = await completions.save({ ...report, status: 'complete', summary: 'new', payload: { a: 1 } })
  expect(saved).toEqual({ status: 'created', dedupKey: '900:developer:complete' })
  added.push('.nexus/tasks/web/completions/completion_summary_900.json')

  const known = (await hostState.keys()).items
  const key = known.includes('launched_agents') ? 'launched_agents' : 'größe'
  expect(await hostState.patch(key, { entries: { '43': { pid: 1 } } })).toMatchObject({ status: 'saved' })
  changed.push(`.nexus/state/${key}.json`)

  const running = (await workflows.list({ state: 'running' })).items[0]
  if (running) {
    const { id, name, data, rev: ifRev } = running
    const next = { id, name, state: 'completed', currentStep: 2, data }
    expect(await workflows.save(next, { ifRev })).toMatchObject({ status: 'saved' })
    expect(await workflows.load(id)).toMatchObject({ state: 'completed', currentStep: 2 })
    changed.push(`.nexus/workflows/${id}.json`)
  }

  const active = (await taskFiles.list({ state: 'active' })).items[0]
  if (!active) throw new Error('no task file is active')
  const moved = await taskFiles.close(active.project, active.filename)
  if (moved.status !== 'moved') throw new Error('the task file was not closed')
  changed.push(`.nexus/tasks/${active.project}/active/${active.filename}`)
  added.push(`.nexus/tasks/${active.project}/closed/${moved.filename}`)
  return { changed: changed.sort(), added: added.sort() }
}

describe.each(Object.values(existingTrees).map((tree) => [tree.name, tree] as const))(
  'existing data: %s',
  (_, tree) => {
    test('[C-ALL-9] [C-FILES-4] [C-INBOX-18] each record is listed once, the unreadable ones are reported, and nothing changes by it', async () => {
      await using place = await existingPlace(tree)
      const before = await treeDigests(place.folder)
      {
        await using backend = await place.open()
        place.advance(1000)
        await checkWorkflows(backend, tree)
        await checkHostState(backend, tree)
        await checkTaskFiles(backend, tree)
        await checkCompletions(backend, tree, place)
        await checkInbox(backend, tree)
      }
      expect(await changesIn(place.folder, before)).toEqual({ changed: [], added: [] })
    })

    test('[C-FILES-4] [C-FILES-3] working on it changes the files that were asked for and no other', async () => {
      await using place = await existingPlace(tree)
      const before = await treeDigests(place.folder)
      const touched = await (async () => {
        await using backend = await place.open()
        place.advance(1000)
        return await work(backend)
      })()
      expect(await changesIn(place.folder, before)).toEqual(touched)
      await using again = await place.open()
      expect((await again.inbox.list({ status: 'done' })).items).toHaveLength(1)
    })
  },
)

test('[C-STATE-3] a patch keeps the source text of the other members, escapes and indentation included', async () => {
  await using place = await existingPlace(existingTrees.documented)
  await using backend = await place.open()
  const path = join(place.folder, '.nexus/state/launched_agents.json')
  const before = await readFile(path, 'utf8')
  await backend.hostState.patch('launched_agents', { entries: { '43': 1 } })
  expect(await readFile(path, 'utf8')).toContain(before.slice(0, -2))
  expect(before).toContain('\\u00fc')
})

test('[C-COMPLETION-11] a summary cut in half is reported while the older one in a workspace is read', async () => {
  await using place = await existingPlace(existingTrees.workspaces)
  await using backend = await place.open()
  await using workspace = await place.open('workspaces/app/.nexus')
  expect((await backend.completions.scan()).items).toEqual([])
  expect((await workspace.completions.scan()).items).toMatchObject([{ issueNumber: '42', agentType: 'developer' }])
  expect(await workspace.workflows.load('web-42-full')).toMatchObject({ state: 'paused' })
  expect(await backend.workflows.load('web-42-full')).toMatchObject({ state: 'running' })
})

test('[C-TASK-2] [C-TASK-4] of one name in active and closed the active one is loaded, and closing it spares the other', async () => {
  await using place = await existingPlace(existingTrees.twoProjects)
  await using backend = await place.open()
  expect(await backend.taskFiles.load('web', 'feature_42.md')).toMatchObject({ state: 'active' })
  expect(await backend.taskFiles.close('web', 'feature_42.md')).toEqual({
    status: 'moved',
    filename: 'feature_42~2.md',
  })
  const closed = await backend.taskFiles.list({ project: 'web', state: 'closed' })
  expect(closed.items.map(({ filename }) => filename).sort()).toEqual(['feature_42.md', 'feature_42~2.md'])
})

test('[C-ALL-6] [C-ALL-9] a task file with a NUL inside is no text: corrupt, closed as it is, replaced with its rev', async () => {
  await using place = await existingPlace(existingTrees.damaged)
  await using backend = await place.open()
  const { taskFiles } = backend
  expect(await taskFiles.close('web', 'nul.md')).toEqual({ status: 'moved', filename: 'nul.md' })
  const error = await taskFiles.load('web', 'nul.md').catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'corrupt', rev: expect.any(String), message: expect.stringContaining('U+0000') })
  const { items, corrupt } = await taskFiles.list({ project: 'web', state: 'closed' })
  expect(items.map(({ filename }) => filename)).toEqual(['bom.md'])
  expect(corrupt).toEqual([expect.objectContaining({ name: 'nul.md', rev: error.rev, reason: 'holds U+0000' })])
  expect(await readFile(join(place.folder, '.nexus/tasks/web/closed/nul.md'), 'utf8')).toBe('a NUL \u0000 inside\n')
  const mended = { project: 'web', filename: 'nul.md', content: 'mended' }
  expect(await taskFiles.save(mended, { ifRev: error.rev })).toMatchObject({ status: 'saved' })
  expect(await taskFiles.load('web', 'nul.md')).toMatchObject({ content: 'mended', state: 'closed' })
})
