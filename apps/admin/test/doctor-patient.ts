import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Backend } from '@nexus/core'
import pg from 'pg'
import { openStores } from '../../host/proof/stores.ts'
import type { Ground } from './admin.ts'

/** Where a fault is planted: a healthy place, with what it takes to spoil it. */
export interface Patient {
  ground: Ground
  root: string
  /** Writes below the root. */
  write(path: string, text: string): string
  /** Plain SQL, as an operator has it. */
  sql(text: string, values?: unknown[]): Promise<void>
  stores<T>(work: (stores: Backend) => Promise<T>): Promise<T>
  /** Statements to run when the doctor is done: roles outlive their database. */
  readonly afterwards: string[]
}

/** What a plant leaves to run the doctor with. */
type Planted = Record<string, string> | undefined

export interface Fault {
  check: string
  what: string
  status: 'warn' | 'fail'
  message: RegExp
  fix: RegExp
  /** Whether --fix mends it. */
  safe?: true
  plant(patient: Patient): Promise<Planted> | Planted
}

export const createPatient = (ground: Ground): Patient => {
  const root = ground.env['NEXUS_DIR'] ?? ''
  return {
    ground,
    root,
    afterwards: [],
    write(path, text) {
      const file = join(root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
    async sql(text, values) {
      const client = new pg.Client({ connectionString: ground.env['NEXUS_STORAGE_DSN'] })
      await client.connect()
      try {
        await client.query(text, values)
      } finally {
        await client.end()
      }
    },
    async stores(work) {
      await using stores = await openStores(ground.env)
      return await work(stores)
    },
  }
}

/** A record of each store, a secret that its owner alone may read. */
export const fill = async ({ stores, write, root }: Patient): Promise<void> => {
  await stores(async ({ workflows, completions, hostState, taskFiles, inbox }) => {
    const about = { project: 'shop', issueNumber: '7' }
    await workflows.save({ id: 'shop-7-bug', name: 'Bug', state: 'running', currentStep: 0, data: {}, ...about })
    const report = {
      agentType: 'developer',
      status: 'complete',
      summary: 'Done.',
      payload: {},
      reportId: null,
    } as const
    await completions.save({ ...about, ...report })
    await hostState.save('tracked_issues', {})
    await taskFiles.save({ project: 'shop', filename: 'cart.md', content: 'The cart forgets.' })
    await inbox.enqueue([{ project: 'shop', filename: 'next.md', markdown: 'Next.' }])
  })
  mkdirSync(join(root, 'host'), { recursive: true, mode: 0o700 })
  chmodSync(write('host/secret', 'canary'), 0o600)
}
