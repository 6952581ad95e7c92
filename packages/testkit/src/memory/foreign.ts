import type { Clock } from '@nexus/core'
import { dedupKey } from '@nexus/core'
import type { ForeignProgram } from '../harness.ts'
import type { MemoryData } from './data.ts'
import { addInboxRow, type InboxRow } from './inbox-data.ts'
import { setForeignInboxStatus } from './inbox-foreign.ts'

const found = <T>(row: T | undefined, name: string): T => {
  if (row === undefined) throw new Error(`The foreign program finds no ${name}.`)
  return row
}

/** Writes the rows that it knows, past every rule of ours. */
export const createMemoryForeign = (data: MemoryData, clock: Clock): ForeignProgram => {
  const now = () => new Date(clock.now())
  const workflow = (id: string) => found(data.workflows.get(id), `workflow ${id}`)
  return {
    async insertWorkflow({ data: text, ...row }) {
      data.workflows.set(row.id, { ...row, text, createdAt: now(), updatedAt: null })
    },
    async setWorkflowState(id, state) {
      data.workflows.set(id, { ...workflow(id), state })
    },
    async writeWorkflowText(id, text) {
      data.workflows.set(id, { ...workflow(id), text })
    },
    async workflowText(id) {
      return workflow(id).text
    },
    async insertCompletion({ project: _, data: text, ...row }) {
      const at = now()
      const stored = {
        ...row,
        text,
        project: null,
        reportId: null,
        dedupKey: dedupKey(row),
        createdAt: at,
        savedAt: at,
      }
      if (data.completions.has(stored.dedupKey)) throw new Error(`The dedup key ${stored.dedupKey} exists.`)
      data.completions.set(stored.dedupKey, { ...stored, seq: data.next() })
    },
    async insertHostState(key, text) {
      data.hostState.set(key, { text, updatedAt: now() })
    },
    async writeHostStateText(key, text) {
      data.hostState.set(key, { ...found(data.hostState.get(key), `host state ${key}`), text })
    },
    async hostStateText(key) {
      return found(data.hostState.get(key), `host state ${key}`).text
    },
    async insertTaskFile(row) {
      const at = now()
      const id = data.next()
      data.taskFiles.set(id, { ...row, id, createdAt: at, updatedAt: at })
    },
    async writeTaskFileContent(project, filename, content) {
      const row = [...data.taskFiles.values()].find((file) => file.project === project && file.filename === filename)
      const present = found(row, `task file ${filename}`)
      data.taskFiles.set(present.id, { ...present, content })
    },
    async insertInboxTask(row) {
      const now = clock.now()
      addInboxRow(data.inbox, now, { ...row, id: String(data.next()), workspace: '' })
    },
    async writeInboxMarkdown({ project, filename, markdown }) {
      const isIt = (row: InboxRow) => row.project === project && row.filename === filename && row.status === 'pending'
      found([...data.inbox.rows.values()].find(isIt), `task ${filename}`).markdown = markdown
    },
    async setInboxStatus(id, status) {
      setForeignInboxStatus(data.inbox, id, status, clock.now())
    },
  }
}
