import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Backend, type JournaledOperation, readConfig, type StoreRecords } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { describe, expect, test } from 'vitest'
import { recordOf } from '../proof/records.ts'
import { type Ended, type Ground, grounds } from './admin.ts'
import { openInOutage } from './outage.ts'

/** Colors, sets the title of the terminal, begins a line, turns the direction of writing; a store can hold all of it. */
const evil = 'a\u001b[35mb\u001b]0;owned\u0007c\nforged\r\u202ed\u009b35me\u2028f\u007fg'
/** The same without the line: a text may have lines, and whoever types a command has the line of the error. */
const wicked = evil.replace('\n', ' ')
const issue = `7${evil}`

const inData = (text: string): string => JSON.stringify(text).slice(1, -1)

/** The records of the proofs, each word of which another program could have chosen. */
const hostileRecords: { readonly [S in keyof StoreRecords]: StoreRecords[S] } = {
  workflows: (() => {
    const record = recordOf('workflows', 1)
    const document = { ...JSON.parse(record.data), steps: [{ step_num: 1, name: evil, agent: { name: evil } }] }
    const about = { id: evil, name: evil, project: evil, issue_number: issue, state: 'paused', paused_reason: evil }
    const data = JSON.stringify({ ...document, ...about, current_step: 0 })
    return { ...record, id: evil, name: evil, project: evil, issueNumber: issue, state: 'paused', currentStep: 0, data }
  })(),
  completions: {
    ...recordOf('completions', 1),
    ...{ dedupKey: `${issue}:${evil}:${evil}`, project: evil, issueNumber: issue, agentType: evil, status: evil },
    ...{ summary: evil, data: `{"status":"${inData(evil)}","summary":"${inData(evil)}","${inData(evil)}":1}` },
  },
  hostState: { ...recordOf('hostState', 1), key: evil, data: `{"${inData(evil)}":"${inData(evil)}"}` },
  taskFiles: {
    ...recordOf('taskFiles', 1),
    project: evil,
    filename: `${evil}.md`,
    content: wicked,
    issueNumber: issue,
  },
  inbox: {
    ...recordOf('inbox', 3),
    ...{ project: evil, workspace: evil, filename: `${evil}.md`, markdown: wicked, issueNumber: issue, error: evil },
  },
}

const plantRecords = async ({ records }: Pick<Backend, 'records'>): Promise<void> => {
  if (!records) throw new Error('This backend keeps no whole records.')
  await records.write('workflows', [hostileRecords.workflows])
  await records.write('completions', [hostileRecords.completions])
  await records.write('hostState', [hostileRecords.hostState])
  await records.write('taskFiles', [hostileRecords.taskFiles])
  await records.write('inbox', [hostileRecords.inbox])
}

const patch: JournaledOperation = {
  operation: { id: 'op-1', kind: 'state-patch', key: 'k', entries: { [evil]: evil }, remove: [] },
  at: 1,
  sent: false,
  base: { known: 'value', value: { [evil]: 'seen' } },
}

/** What hosts, agents and others leave beside the records, and what cannot be read. */
const plantBeside = async ({ env }: Ground): Promise<void> => {
  const root = env['NEXUS_DIR'] ?? ''
  const run = join(root, 'runs', 'at-00000001')
  mkdirSync(run, { recursive: true })
  const names = ['NEXUS_PROJECT', 'NEXUS_ISSUE', 'NEXUS_WORKFLOW', 'NEXUS_STEP', 'NEXUS_AGENT']
  writeFileSync(join(run, 'spec.json'), JSON.stringify({ env: Object.fromEntries(names.map((name) => [name, evil])) }))
  for (const folder of ['state', 'workflows']) writeFileSync(join(root, folder, `torn ${evil}.json`), '{')
  await using host = await openInOutage({ env })
  await host.hostState.save('k', { [evil]: evil })
}

/** Both backends, wherever the stores are routed to, with all of it; a conflict and agents that a host entered. */
const plant = async (ground: Ground): Promise<void> => {
  const { context } = createFakes()
  const { dir, dsn } = readConfig(ground.env)
  const entry = { host: evil, step_id: evil, agent_type: evil, project: evil, issue_number: evil }
  {
    await using files = await openFsBackend({ root: dir, ...context })
    await plantRecords(files)
    await files.hostState.save('launched_agents', { at1: entry })
    await files.hostState.save('agent_fuses', { [evil]: { until: '2100-01-01T00:00:00Z', why: evil } })
  }
  await plantBeside(ground)
  if (dsn === null) return
  await using database = await openPgBackend({ dsn, ...context })
  await plantRecords(database)
  await database.hostState.save('launched_agents', { at1: entry })
  await database.hostState.save('k', { [evil]: `theirs ${evil}` })
  await database.operations?.replay([patch])
}

const showing = (taskId: string): string[][] => [
  ['status'],
  ['doctor'],
  ['top', '--once'],
  ['inbox', 'ls'],
  ['inbox', 'show', taskId],
  ['workflow', 'ls'],
  ['workflow', 'show', evil],
  ['completion', 'ls'],
  ['completion', 'show', issue],
  ['completion', 'history', issue],
  ['task', 'ls'],
  ['task', 'show', evil, `${evil}.md`],
  ['task', 'show', wicked, wicked],
  ['state', 'ls'],
  ['state', 'get', evil],
  ['agent', 'ls'],
  ['agent', 'logs', evil],
  ['journal', 'ls'],
  ['journal', 'show', '1'],
  ['audit', 'ls'],
  [wicked],
  ['inbox', 'ls', `--${wicked}`],
]

/** What one of them changes, another tells of. */
const changing: string[][] = [
  ['inbox', 'requeue', '--project', evil],
  ['inbox', 'cancel', evil],
  ['workflow', 'approve', '--project', evil],
  ['workflow', 'resume', evil],
  ['task', 'close', evil, '--issue', issue],
  ['task', 'close', evil, evil],
  ['state', 'set', evil, wicked],
  ['state', 'patch', evil, '--set', `${evil}=1`],
  ['agent', 'kill', evil],
]

const both = ['--from', 'filesystem', '--to', 'postgres']
const showingBoth: string[][] = [
  ['journal', 'conflicts'],
  ['diff', ...both],
  ['migrate', 'plan', ...both],
]
const resolving = ['journal', 'resolve', '--store', 'hostState', '--take', 'ours']

/** What steers a terminal, besides the ends of lines and tabs, and a line that a name began. */
const rawIn = ({ stdout, stderr }: Ended): string[] => [
  ...new Set(
    [...(stdout + stderr).matchAll(/[^\P{C}\n\t]|[\u2028\u2029]|^forged/gmu)].map(([found]) => encodeURI(found)),
  ),
]

const runAll = async ({ admin }: Ground, calls: readonly string[][], atATime: number) => {
  const found: { call: string; raw: string[]; printed: string }[] = []
  const open = calls.entries()
  const work = async (): Promise<void> => {
    for (const [index, args] of open) {
      const ended = await admin(args)
      found[index] = { call: encodeURI(args.join(' ')), raw: rawIn(ended), printed: ended.stdout + ended.stderr }
    }
  }
  await Promise.all(Array.from({ length: atATime }, work))
  return found
}

describe.each([
  ['files', grounds.files, [], []],
  ['postgres', grounds.postgres, showingBoth, [resolving]],
] as const)('on %s', (_, open, shown, changed) => {
  test('words of others never reach the terminal raw, whatever is shown, asked or refused', async () => {
    await using ground = await open()
    await plant(ground)
    const jsons = [['inbox', 'ls'], ['state', 'get', evil], ['task', 'ls'], ['doctor'], ['audit']]
    const showingAll = [...showing(hostileRecords.inbox.id), ...shown, ...jsons.map((args) => [...args, '--json'])]
    const ended = [...(await runAll(ground, [...changing, ...changed], 1)), ...(await runAll(ground, showingAll, 2))]
    expect(ended.filter(({ raw }) => raw.length > 0).map(({ call, raw }) => [call, raw])).toEqual([])
    const silent = ended.filter(({ printed }) => !printed.includes('forged')).map(({ call }) => call)
    expect(silent).toEqual(['status', 'journal%20ls'])
  })
})

test('colors are ours alone', async () => {
  await using ground = await grounds.files()
  await plant(ground)
  for (const args of [['inbox'], ['doctor']]) {
    const { stdout } = await ground.admin(args, { env: { FORCE_COLOR: '1' } })
    expect(stdout).toContain('forged')
    const own = ['1', '22', '31', '32', '33', '39'].map((code) => `\u001b[${code}m`)
    const rest = own.reduce((text, color) => text.replaceAll(color, ''), stdout)
    expect(rest.length).toBeLessThan(stdout.length)
    expect(rawIn({ stdout: rest, stderr: '', status: 0 })).toEqual([])
  }
})
