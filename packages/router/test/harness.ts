import { rm } from 'node:fs/promises'
import { type BackendName, readConfig, type StoreName } from '@nexus/core'
import { openFsBackend, openJournalFiles } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { type ForeignProgram, type Harness, openHarness } from '@nexus/testkit'
import { createFsForeign, freshRoot } from '../../fs-backend/test/harness.ts'
import { type PgHarness, usePostgres } from '../../pg-backend/test/harness.ts'
import { openRouter } from '../src/index.ts'

/** Another program writes to the technology that each store is routed to. */
const routedForeign = (
  at: (store: StoreName) => BackendName,
  programs: Record<BackendName, ForeignProgram>,
): ForeignProgram => {
  const workflows = programs[at('workflows')]
  const completions = programs[at('completions')]
  const hostState = programs[at('hostState')]
  const taskFiles = programs[at('taskFiles')]
  const inbox = programs[at('inbox')]
  return {
    insertWorkflow: workflows.insertWorkflow,
    setWorkflowState: workflows.setWorkflowState,
    writeWorkflowText: workflows.writeWorkflowText,
    workflowText: workflows.workflowText,
    insertCompletion: completions.insertCompletion,
    insertHostState: hostState.insertHostState,
    writeHostStateText: hostState.writeHostStateText,
    hostStateText: hostState.hostStateText,
    insertTaskFile: taskFiles.insertTaskFile,
    writeTaskFileContent: taskFiles.writeTaskFileContent,
    insertInboxTask: inbox.insertInboxTask,
    writeInboxMarkdown: inbox.writeInboxMarkdown,
    ...(inbox.setInboxStatus && { setInboxStatus: inbox.setInboxStatus }),
  }
}

const openRouted = async (variables: Record<string, string>, database: PgHarness): Promise<Harness> => {
  const root = await freshRoot()
  const config = readConfig({ ...variables, NEXUS_STORAGE_DSN: database.dsn, NEXUS_DIR: root })
  return openHarness({
    open: (context) =>
      openRouter({
        config,
        context,
        registry: {
          filesystem: ({ dir }, own) => openFsBackend({ root: dir, ...own }),
          postgres: ({ dsn }, own) => openPgBackend({ dsn: dsn ?? '', maxConnections: 4, timeoutMs: 10_000, ...own }),
        },
        journal: ({ dir }, own) => openJournalFiles({ root: dir, ...own }),
      }),
    foreign: () =>
      routedForeign((store) => config.routes[store].backend, {
        filesystem: createFsForeign(root),
        postgres: database.foreign,
      }),
    async advance(ms, clock) {
      clock.advance(ms)
      // What compares with the database's clock sees time pass there; the wall clock stays beside it, as far as stores
      // on files can do without: their times must differ.
      if (config.routes.inbox.backend === 'postgres') {
        clock.jump(2 - ms)
        await database.advance(ms)
      } else await database.sql.query('SELECT pg_sleep(0.002)')
    },
    async remove() {
      await rm(root, { recursive: true, force: true })
      await database[Symbol.asyncDispose]()
    },
  })
}

/** Harnesses of one test file, routed by these variables, each on a folder and a database of its own. */
export const useRouted = (variables: Record<string, string>): (() => Promise<Harness>) => {
  const openDatabase = usePostgres({ reuse: true })
  return async () => openRouted(variables, await openDatabase())
}
