import {
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { openFsBackend } from '../src/index.ts'
import { createLayout, shortHash } from '../src/layout.ts'
import { freshRoot } from './harness.ts'

interface Setting {
  root: string
  backend: Backend
  again(): Promise<Backend>
  write(path: string, text: string): Promise<void>
}

const inSetting = async (work: (setting: Setting) => Promise<void>): Promise<void> => {
  const root = await freshRoot()
  const { context } = createFakes()
  const again = () => openFsBackend({ root, ...context })
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true })
    await writeFile(join(root, path), text)
  }
  try {
    await work({ root, backend: await again(), again, write })
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** Relative paths of all files that a listing shows: nothing in a dot folder. */
const visible = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.split('/').some((part) => part.startsWith('.')))
    .sort()

const completion = {
  project: 'alpha',
  issueNumber: '7',
  agentType: 'developer',
  status: 'complete',
  summary: 'Done',
  payload: { agent_type: 'developer' },
  reportId: null,
} as const

const flow = { id: 'alpha-7-bug', name: 'Flow', state: 'running', currentStep: 0, data: { steps: [] } }

const saveAll = async ({ workflows, hostState, taskFiles, completions }: Backend): Promise<void> => {
  await workflows.save(flow)
  await hostState.save('launched_agents', { '7': { pid: 1 } })
  await taskFiles.save({ project: 'alpha', filename: 'one.md', content: 'One' })
  await taskFiles.save({ project: 'alpha', filename: 'two.md', content: 'Two', issueNumber: '7' })
  await taskFiles.close('alpha', 'two.md')
  await completions.save(completion)
}

test('[C-FILES-1] a listing shows the documented layout and nothing else', () =>
  inSetting(async ({ root, backend }) => {
    await saveAll(backend)
    await saveAll(backend)
    expect(await visible(root)).toEqual([
      'state/launched_agents.json',
      'tasks/alpha/active/one.md',
      'tasks/alpha/closed/two.md',
      'tasks/alpha/completions/completion_summary_7.json',
      'workflows/alpha-7-bug.json',
    ])
    expect(await readFile(join(root, 'state/launched_agents.json'), 'utf8')).toBe('{\n  "7": {\n    "pid": 1\n  }\n}\n')
    expect(await readFile(join(root, 'tasks/alpha/active/one.md'), 'utf8')).toBe('One')
  }))

test('[C-FILES-2] temp files of killed and of long gone processes are removed at the next open', () =>
  inSetting(async ({ root, backend, again, write }) => {
    await backend.hostState.save('key', 1)
    await write('.tmp/elsewhere-1-1-old', 'x')
    await utimes(join(root, '.tmp/elsewhere-1-1-old'), new Date(0), new Date(0))
    await write('.tmp/elsewhere-1-1-new', 'x')
    await again()
    expect(await readdir(join(root, '.tmp'))).toEqual(['elsewhere-1-1-new'])
  }))

test('[C-FILES-3] a symlink is no record and nothing is written through it', () =>
  inSetting(async ({ root, backend }) => {
    const outside = await mkdtemp(join(tmpdir(), 'nexus-outside-'))
    await writeFile(join(outside, 'secret.json'), '{"secret":true}')
    await backend.hostState.save('own', 1)
    await symlink(join(outside, 'secret.json'), join(root, 'state', 'linked.json'))
    await symlink(outside, join(root, 'tasks'))
    await symlink(outside, join(root, 'workflows'))

    expect(await backend.hostState.load('linked')).toBeNull()
    expect((await backend.hostState.keys()).items).toEqual(['own'])
    await expect(backend.hostState.save('linked', 1)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await backend.workflows.load('secret')).toBeNull()
    expect((await backend.workflows.list()).items).toEqual([])
    await expect(backend.workflows.save(flow)).rejects.toMatchObject({ code: 'unavailable', outcome: 'not-applied' })
    await expect(backend.completions.save(completion)).rejects.toMatchObject({ code: 'unavailable' })
    await expect(backend.taskFiles.save({ project: 'alpha', filename: 'a.md', content: '' })).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await readdir(outside)).toEqual(['secret.json'])
    expect(await readFile(join(outside, 'secret.json'), 'utf8')).toBe('{"secret":true}')
    await rm(outside, { recursive: true })
  }))

test('[C-FILES-3] a folder swapped for a symlink while it is used leads nowhere', () =>
  inSetting(async ({ root, backend }) => {
    const outside = await mkdtemp(join(tmpdir(), 'nexus-outside-'))
    await writeFile(join(outside, 'key.json'), '"outside"')
    const [state, aside] = [join(root, 'state'), join(root, '.aside')]
    await backend.hostState.save('key', 0)
    let isOver = false
    const swap = async (): Promise<void> => {
      while (!isOver) {
        await rename(state, aside)
        // A save may have made the folder anew in between; then that one stays.
        await symlink(outside, state).catch(() => undefined)
        await unlink(state).catch(() => undefined)
        await rename(aside, state).catch(() => rm(aside, { recursive: true }))
      }
    }
    const swapping = swap()
    const values = new Set<unknown>()
    for (let n = 1; n <= 400; n++) {
      await backend.hostState.save('key', n).catch(() => undefined)
      values.add((await backend.hostState.load('key').catch(() => null))?.value)
    }
    isOver = true
    await swapping
    expect(values.has('outside')).toBe(false)
    expect(await readdir(outside)).toEqual(['key.json'])
    expect(await readFile(join(outside, 'key.json'), 'utf8')).toBe('"outside"')
    await rm(outside, { recursive: true })
  }))

test('[C-FILES-3] the root itself may be a symlink', async () => {
  const real = await freshRoot()
  const link = `${real}-link`
  await symlink(real, link)
  const { context } = createFakes()
  const backend = await openFsBackend({ root: link, ...context })
  await backend.hostState.save('key', 1)
  expect(await readdir(join(real, 'state'))).toEqual(['key.json'])
  await rm(link)
  await rm(real, { recursive: true })
})

test('[C-ALL-2] a root in a folder that takes no names is refused, at any depth, and opens no endless search', async () => {
  const { context } = createFakes()
  for (const root of ['/proc/nexus', '/proc/nexus/deeper/.nexus'])
    await expect(openFsBackend({ root, ...context })).rejects.toMatchObject({
      code: 'unavailable',
      outcome: 'not-applied',
      message: `${root}: no folder can be made there.`,
    })
})

test('[C-FILES-3] folders and pipes where files belong are no records, and stay', () =>
  inSetting(async ({ root, backend }) => {
    await mkdir(join(root, 'state', 'key.json'), { recursive: true })
    await mkdir(join(root, 'tasks', 'alpha', 'active', 'a.md'), { recursive: true })
    await mkdir(join(root, 'tasks', 'alpha', 'completions', 'completion_summary_7.json'), { recursive: true })
    await writeFile(join(root, 'workflows'), 'a file where a folder belongs')
    expect(await backend.hostState.load('key')).toBeNull()
    expect((await backend.hostState.keys()).items).toEqual([])
    await expect(backend.hostState.save('key', 1)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await backend.taskFiles.list()).items).toEqual([])
    expect(await backend.taskFiles.close('alpha', 'a.md')).toEqual({ status: 'absent' })
    expect((await backend.workflows.list()).items).toEqual([])
    await expect(backend.workflows.save(flow)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await backend.completions.scan()).items).toEqual([])
    expect(await readdir(join(root, 'state', 'key.json'))).toEqual([])
  }))

test('[C-FILES-3] once the obstacle is gone, writes work without a restart', () =>
  inSetting(async ({ root, backend }) => {
    await writeFile(join(root, 'workflows'), 'in the way')
    await expect(backend.workflows.save(flow)).rejects.toMatchObject({ code: 'unavailable' })
    await rm(join(root, 'workflows'))
    expect(await backend.workflows.save(flow)).toMatchObject({ status: 'saved' })
  }))

test('[C-FILES-4] what is not ours, and what nobody asked to change, stays byte for byte', () =>
  inSetting(async ({ root, backend, write }) => {
    const foreign = {
      'audit/today.jsonl': '{"a":1}\n',
      'workflow_mapping.json': '{"7": "x"}',
      'host_state/x.json': '[]',
      'workflows/old.json': '{"id":"old","state":"running","n":12345678901234567890,"\\u00fc":"\\u00fc"}',
      'state/merge_queue.json': '[1, 2,3]',
      'state/.hidden.json': '1',
      'tasks/beta/active/hand.md': '\uFEFFdo it\r\n',
      'tasks/beta/notes.txt': 'notes',
      'tasks/beta/completions/completion_summary_3.json': '{ "agent_type":"developer","summary":"x" }',
      'tasks/beta/completions/readme.txt': 'x',
    }
    for (const [path, text] of Object.entries(foreign)) await write(path, text)
    await saveAll(backend)
    await backend.completions.scan()
    await backend.workflows.list()
    await backend.taskFiles.list()
    await backend.hostState.patch('other', { entries: { a: 1 } })
    for (const [path, text] of Object.entries(foreign)) expect(await readFile(join(root, path), 'utf8')).toBe(text)
    expect((await backend.hostState.keys()).items).toEqual(['launched_agents', 'merge_queue', 'other'])
  }))

test('[C-ALL-9] a corrupt record is copied before it is replaced', () =>
  inSetting(async ({ root, backend, write }) => {
    await write('state/key.json', '{"half": ')
    const error = await backend.hostState.load('key').then(
      () => null,
      (thrown: unknown) => thrown as { rev: string; place: string },
    )
    expect(error).toMatchObject({ code: 'corrupt', place: join(root, 'state', 'key.json') })
    expect(await backend.hostState.save('key', 1, { ifRev: error?.rev ?? '' })).toMatchObject({ status: 'saved' })
    const [copy = ''] = await readdir(join(root, '.quarantine'))
    expect(await readFile(join(root, '.quarantine', copy), 'utf8')).toBe('{"half": ')
  }))

test('[C-ALL-4] an edit by hand between load and save refuses the save, and undone it does not', () =>
  inSetting(async ({ root, backend }) => {
    await backend.hostState.save('key', { a: 1 })
    const path = join(root, 'state', 'key.json')
    const rev = (await backend.hostState.load('key'))?.rev ?? ''
    const text = await readFile(path, 'utf8')
    await writeFile(path, '{"a": 2}')
    expect(await backend.hostState.save('key', { a: 3 }, { ifRev: rev })).toMatchObject({ status: 'conflict' })
    expect(await readFile(path, 'utf8')).toBe('{"a": 2}')
    await writeFile(path, text)
    expect(await backend.hostState.save('key', { a: 3 }, { ifRev: rev })).toMatchObject({ status: 'saved' })
  }))

test('[C-TASK-4] a move that was cut off between its two names is listed once and finished', () =>
  inSetting(async ({ root, backend, again }) => {
    await backend.taskFiles.save({ project: 'alpha', filename: 'a.md', content: 'text', issueNumber: '7' })
    await mkdir(join(root, 'tasks/alpha/closed'))
    await link(join(root, 'tasks/alpha/active/a.md'), join(root, 'tasks/alpha/closed/a.md'))
    expect((await backend.taskFiles.list()).items).toMatchObject([{ state: 'active', issueNumber: '7' }])
    expect(await (await again()).taskFiles.close('alpha', 'a.md')).toEqual({ status: 'moved', filename: 'a.md' })
    expect((await backend.taskFiles.list()).items).toMatchObject([
      { state: 'closed', content: 'text', issueNumber: '7' },
    ])
  }))

test('[C-ALL-1] a file that a slow process took before it was killed goes back, also when nobody knows any more what for', () =>
  inSetting(async ({ root, backend, again }) => {
    const file = { project: 'alpha', filename: 'a.md' }
    for (const content of ['1', '2', '3', '4', '5']) await backend.taskFiles.save({ ...file, content })
    const revisions = createLayout(root).revisions(shortHash('tasks/alpha/a.md'))
    expect(await readdir(revisions)).not.toContain('1')
    await rename(join(root, 'tasks/alpha/active/a.md'), join(revisions, '1.slow.gone'))
    expect(await (await again()).taskFiles.load('alpha', 'a.md')).toMatchObject({ content: '5' })
    expect(await readdir(revisions)).not.toContain('1.slow.gone')
  }))

test('[C-TASK-5] a hand-made file keeps its time of making when we write it', () =>
  inSetting(async ({ root, backend, write }) => {
    await write('tasks/alpha/active/hand.md', 'by hand')
    const made = new Date('2020-01-02T03:04:05Z')
    await utimes(join(root, 'tasks/alpha/active/hand.md'), made, made)
    await backend.taskFiles.save({ project: 'alpha', filename: 'hand.md', content: 'by us', issueNumber: '9' })
    expect(await backend.taskFiles.load('alpha', 'hand.md')).toMatchObject({ createdAt: made, issueNumber: '9' })
    await backend.taskFiles.close('alpha', 'hand.md')
    expect(await backend.taskFiles.load('alpha', 'hand.md')).toMatchObject({ createdAt: made, issueNumber: '9' })
  }))
