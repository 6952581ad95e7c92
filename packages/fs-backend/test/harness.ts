import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isJsonObject, parseJson, patchJsonText } from '@nexus/core'
import { type ForeignProgram, type Harness, openHarness } from '@nexus/testkit'
import { openFsBackend } from '../src/index.ts'

/** In memory where the system has such a place: the suites ask what the stores answer, the proofs what a disk keeps. */
const scratch = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

export const freshRoot = (): Promise<string> => mkdtemp(join(scratch, 'nexus-fs-'))

const objectIn = (text: string) => {
  const parsed = parseJson(text)
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null
}

/** A program that knows the documented folders and writes their files in place. */
export const createFsForeign = (root: string): ForeignProgram => {
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  const workflow = (id: string) => join(root, 'workflows', `${id}.json`)
  const hostState = (key: string) => join(root, 'state', `${key}.json`)
  const task = (project: string, state: string, filename: string) => join(root, 'tasks', project, state, filename)
  const inboxTask = (project: string, filename: string) => join(root, 'inbox', project, filename)
  return {
    async insertWorkflow({ data, id, name, state, currentStep }) {
      const document = objectIn(data)
      const columns = Object.entries({ id, name, state, current_step: currentStep })
      const entries = Object.fromEntries(columns.filter(([member]) => document && !Object.hasOwn(document, member)))
      const patched = patchJsonText(data, { entries })
      await write(workflow(id), patched.ok ? patched.text : data)
    },
    async setWorkflowState(id, state) {
      const document = objectIn(await readFile(workflow(id), 'utf8')) ?? {}
      await write(workflow(id), `${JSON.stringify({ ...document, state }, null, 2)}\n`)
    },
    writeWorkflowText: (id, text) => write(workflow(id), text),
    workflowText: (id) => readFile(workflow(id), 'utf8'),
    insertCompletion: ({ project, issueNumber, data }) =>
      write(join(root, 'tasks', project, 'completions', `completion_summary_${issueNumber}.json`), data),
    insertHostState: (key, text) => write(hostState(key), text),
    writeHostStateText: (key, text) => write(hostState(key), text),
    hostStateText: (key) => readFile(hostState(key), 'utf8'),
    insertTaskFile: ({ project, filename, content, state }) => write(task(project, state, filename), content),
    async writeTaskFileContent(project, filename, content) {
      const active = task(project, 'active', filename)
      const isActive = await readFile(active).then(
        () => true,
        () => false,
      )
      await write(isActive ? active : task(project, 'closed', filename), content)
    },
    insertInboxTask: ({ project, filename, markdown }) => write(inboxTask(project, filename), markdown),
    writeInboxMarkdown: ({ project, filename, markdown }) => write(inboxTask(project, filename), markdown),
  }
}

/** The filesystem backend on an empty folder of its own. */
export const openFsHarness = async (): Promise<Harness> => {
  const root = await freshRoot()
  return openHarness({
    open: (context) => openFsBackend({ root, ...context }),
    foreign: () => createFsForeign(root),
    remove: () => rm(root, { recursive: true, force: true }),
  })
}
