import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dedupKey, workflowDocument } from '@nexus/core'
import { encodeRecord } from '../src/completions/record.ts'
import { sightingName } from '../src/completions/seen.ts'
import { encodeJson } from '../src/documents.ts'
import { createLayout, shortHash } from '../src/layout.ts'

const projects = Array.from({ length: 10 }, (_, n) => `project-${n}`)
const projectOf = (n: number): string => projects[n % projects.length] ?? ''

/** Of one record; ends in its number, so that a list can be counted by it. */
export const nameOf = (n: number): string => `record-${n}`
export const numberOf = (name: string): number => Number(/(\d+)(?:\.md)?$/.exec(name)?.[1])

/**
 * So many records in each store, written as the store writes them but for the syncing and without its revisions: saving
 * them would take an hour. Each issue has one completion, its mirror, and the note that the mirror is known.
 */
export const createRecords = (root: string, count: number): void => {
  const layout = createLayout(root)
  const made = new Set<string>()
  const write = (path: string, content: string | Buffer): void => {
    const folder = dirname(path)
    if (!made.has(folder)) mkdirSync(folder, { recursive: true })
    if (made.size < 100_000) made.add(folder)
    writeFileSync(path, content)
  }
  const start = Date.UTC(2026, 0, 1)

  const workflow = (n: number): void => {
    const [createdAt, updatedAt] = [new Date(start + n), new Date(start + n + 1)]
    const state = n % 10 === 0 ? 'running' : 'completed'
    const data = { steps: [{ step_num: 1, name: 'Do', status: state, prompt_template: 'x'.repeat(200) }] }
    const input = { id: nameOf(n), name: 'Flow', state, currentStep: 0, project: projectOf(n), data }
    write(layout.workflow(nameOf(n)), encodeJson(workflowDocument(input, { createdAt, updatedAt })))
    utimesSync(layout.workflow(nameOf(n)), updatedAt, updatedAt)
  }

  /** Every other one made by hand, which has no facts. */
  const task = (n: number): void => {
    const [project, state, filename] = [projectOf(n), n % 3 === 0 ? 'closed' : 'active', `${nameOf(n)}.md`] as const
    const facts = { filename, state, from: null, issueNumber: nameOf(n), createdAt: start + n, token: `token-${n}` }
    write(layout.task(project, state, filename), `# Task ${n}\n\n${'Do it. '.repeat(30)}\n`)
    if (n % 2 === 0) write(join(layout.taskFacts(project, filename), '1.json'), encodeJson(facts))
  }

  const completion = (n: number): void => {
    const [project, issueNumber, at] = [projectOf(n), nameOf(n), new Date(start + n)]
    const payload = { agent_type: 'developer', summary: `Done ${n}`, key_findings: ['x'.repeat(100)] }
    const identity = { issueNumber, agentType: 'developer', status: 'complete' }
    const key = dedupKey(identity)
    const data = JSON.stringify(payload)
    const fields = { ...identity, summary: payload.summary, data, reportId: null, dedupKey: key }
    const record = encodeRecord({ ...fields, seq: n + 1, createdAt: at, savedAt: at })
    write(join(layout.issue(project, issueNumber), `${shortHash('developer:complete')}.json`), record)
    write(layout.dedupKey(key), encodeJson({ dedup_key: key, project }))
    const [mirror, bytes] = [layout.summary(project, issueNumber), Buffer.from(encodeJson(payload))]
    write(mirror, bytes)
    const seen = sightingName({ project, issueNumber, stat: statSync(mirror), bytes })
    write(join(layout.seen(project, issueNumber), `${seen}.mirror`), '')
  }

  for (let n = 0; n < count; n++) {
    workflow(n)
    task(n)
    completion(n)
    write(layout.hostStateFile(nameOf(n)), `${n}\n`)
  }
}
