import type { Backend, BackendContext } from '@nexus/core'
import type { FakeClock } from './fakes/clock.ts'

/** What a program does that knows only the documented tables or layout, done natively: SQL, or a file written in place. */
export interface ForeignProgram {
  /** Inserts a workflow. On files the columns are members of the document, so they are put into it. */
  insertWorkflow(row: { id: string; name: string; state: string; currentStep: number; data: string }): Promise<void>
  /** Changes the documented `state` alone (on files: that member of the document). */
  setWorkflowState(id: string, state: string): Promise<void>
  /** Replaces the stored document text, whatever it is. */
  writeWorkflowText(id: string, text: string): Promise<void>
  workflowText(id: string): Promise<string>

  /**
   * Inserts a completion; on files an agent's drop into the project's folder. On Postgres the row has no project.
   * `data` is the payload text.
   */
  insertCompletion(row: {
    project: string
    issueNumber: string
    agentType: string
    status: string
    summary: string
    data: string
  }): Promise<void>

  insertHostState(key: string, text: string): Promise<void>
  writeHostStateText(key: string, text: string): Promise<void>
  hostStateText(key: string): Promise<string>

  insertTaskFile(row: {
    project: string
    filename: string
    content: string
    state: 'active' | 'closed'
    issueNumber: string | null
  }): Promise<void>
  writeTaskFileContent(project: string, filename: string, content: string): Promise<void>

  /** Inserts a pending task; on files a hand-made file whose workspace is unknown (''). */
  insertInboxTask(row: { project: string; filename: string; markdown: string }): Promise<void>
  /** Changes, in its place, a pending task that it inserted. */
  writeInboxMarkdown(row: { project: string; filename: string; markdown: string }): Promise<void>
  /** Changes the documented `status` alone. Left out on files, where no other program can. */
  setInboxStatus?(id: string, status: string): Promise<void>
}

/** One backend, freshly opened on empty data, and everything a suite may do around it. */
export interface Harness extends AsyncDisposable {
  readonly backend: Backend
  readonly clock: FakeClock
  readonly foreign: ForeignProgram
  /** Another opening of the same data, as another process would have it; closed with the harness. */
  peer(): Promise<Backend>
  /** Closes every opening and opens anew on the same data; `backend` is the new one from then on. */
  reopen(): Promise<Backend>
  /** Lets time pass for everything that compares times, the database's included. */
  advance(ms: number): Promise<void>
  /** From now on this worker's process is provably dead. */
  kill(worker: string): void
}

export type OpenHarness = () => Promise<Harness>

/** How a backend presents itself to the suites. */
export interface BackendUnderTest {
  /** As the test titles show it: `memory`, `files`, `postgres`, `router → files`, … */
  name: string
  open: OpenHarness
}

/** What a harness needs to open a backend; made by `createFakes`. */
export interface Fakes {
  clock: FakeClock
  context: BackendContext
  kill(worker: string): void
}
