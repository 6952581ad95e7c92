import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, readConfig } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'
import { openPgBackend } from '@nexus/pg-backend'
import { createFakes } from '@nexus/testkit'
import { freshDatabase } from '@nexus/testkit/postgres'
import { testDsn } from '@nexus/testkit/postgres/test-dsn'
import { describe, expect, test } from 'vitest'
import type { z } from 'zod'
import { recordOf } from '../proof/records.ts'
import { createProgram } from '../src/program.ts'
import { type Ended, type Ground, grounds, jsonOf } from './admin.ts'
import { openInOutage } from './outage.ts'
import { type Typed, typed } from './typed.ts'

const { abouts } = await createProgram()

/** What cannot end by itself: see.test.ts and agent.test.ts run these. */
const endless: readonly string[] = [
  'nexus-admin status --watch 5',
  'nexus-admin studio',
  'nexus-admin studio --port 5555 --no-browser',
  'nexus-admin agent logs 12 --project shop -f',
]

/** What changes where everything is: the tests of moves and archives run these, there and back. */
const elsewhere: readonly string[] = ['migrate run', 'migrate finish', 'migrate undo', 'export', 'import', 'adopt']

type Kind = keyof typeof grounds

/** With what an example ends where that is not 0: something waits, differs, or is not as the example has it. */
const ends: Readonly<Record<string, number | { readonly [K in Kind]?: number }>> = {
  'nexus-admin status': 3,
  'nexus-admin status --json': 3,
  'NEXUS_DIR=/srv/nexus nexus-admin status': 3,
  'nexus-admin doctor': 3,
  'nexus-admin doctor --fix': 3,
  'nexus-admin inbox cancel 41': 1,
  'nexus-admin workflow resume shop-12-feature': 1,
  'nexus-admin workflow approve shop-12-feature --by ann': 1,
  "nexus-admin workflow reject shop-12-feature --comment 'not on friday'": 1,
  'nexus-admin workflow retry shop-12-feature --step develop': 1,
  "echo 'The cart forgets.' | nexus-admin task put shop - --filename cart.md --if-absent": 1,
  'nexus-admin state set issue_counters counters.json --if-rev 0f3a': 1,
  'nexus-admin journal conflicts': { files: 69 },
  'nexus-admin journal conflicts --json': { files: 69 },
  'nexus-admin journal replay': { files: 69 },
  'nexus-admin journal replay --json': { files: 69 },
  'nexus-admin journal resolve 0hofgx4gprs0 --take ours': { files: 69, postgres: 1, mixed: 1 },
  'nexus-admin journal resolve --store hostState --key agents --take theirs --yes': { files: 69 },
  'nexus-admin migrate plan --from filesystem --to postgres': 3,
  'nexus-admin migrate plan --from filesystem --to postgres --store inbox --json': 3,
  'nexus-admin migrate verify --from filesystem --to postgres': 4,
  'nexus-admin migrate verify --from filesystem --to postgres --store taskFiles --json': 4,
  'nexus-admin diff --from filesystem --to postgres': 4,
  'nexus-admin diff --from filesystem --to filesystem --to-dir OTHER_ROOT --store inbox': { files: 4, mixed: 4 },
}

const old = new Date('2026-01-01T00:00:00Z')
const steps = [{ step_num: 1, name: 'develop', agent: { name: 'developer' }, status: 'pending' }]

const endOf = (example: string, kind: Kind): number => {
  const end = ends[example] ?? 0
  return typeof end === 'number' ? end : (end[kind] ?? 0)
}

/** Commands that have nothing to print in a place. */
const silent: Readonly<Record<Kind, readonly string[]>> = {
  files: ['journal conflicts', 'journal replay', 'journal resolve'],
  postgres: [],
  mixed: [],
}

/** What the examples speak of; written anew before each of them, so that none hangs on another. */
const prepare = async ({ records, operations, hostState }: Backend): Promise<void> => {
  const dead = { ...recordOf('inbox', 3), project: 'shop', processedAt: old, createdAt: old }
  await records?.write(
    'inbox',
    ['41', '42'].map((id) => ({ ...dead, id, filename: `${id}.md` })),
  )
  const workflow = recordOf('workflows', 1)
  const about = {
    id: 'shop-12-feature',
    name: 'Feature',
    project: 'shop',
    issue_number: '12',
    state: 'running',
    current_step: 0,
  }
  const data = JSON.stringify({ ...JSON.parse(workflow.data), ...about, steps })
  const columns = {
    id: about.id,
    name: about.name,
    project: 'shop',
    issueNumber: '12',
    state: 'running',
    currentStep: 0,
  }
  await records?.write('workflows', [{ ...workflow, ...columns, data }])
  await records?.write('completions', [
    { ...recordOf('completions', 1), project: 'shop', issueNumber: '12', dedupKey: '12:developer:complete' },
  ])
  const file = { ...recordOf('taskFiles', 1), project: 'shop', filename: 'cart.md', issueNumber: '12' }
  await records?.write('taskFiles', [file])
  for (const key of ['tracked_issues', 'launched_agents', 'issue_counters', 'agents'])
    await hostState.save(key, { old: 1 })
  await operations?.replay([
    {
      operation: {
        id: `op-${Math.random()}`,
        kind: 'state-patch',
        key: 'agents',
        entries: { old: 'ours' },
        remove: [],
      },
      at: 1,
      sent: false,
      base: { known: 'value', value: { old: 'seen' } },
    },
  ])
}

const files = {
  'cart.md': 'The cart forgets.',
  'report.md': 'Report.',
  'counters.json': '{"shop":12}',
  'members.json': '{"shop":12}',
  'editor.sh': `date '+"%s%N"' > "$1"\n`,
}

/** A folder in which every example can be typed: its files, a run, and what an outage left. */
const furnish = async ({ folder, env }: Ground): Promise<void> => {
  const root = env['NEXUS_DIR'] ?? ''
  mkdirSync(join(folder, 'tasks'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  writeFileSync(join(folder, 'tasks', 'a.md'), 'A task.')
  const run = join(root, 'runs', 'at-0mh1c5k8a2f')
  mkdirSync(run, { recursive: true })
  const told = { NEXUS_PROJECT: 'shop', NEXUS_ISSUE: '12', NEXUS_WORKFLOW: 'shop-12-feature', NEXUS_STEP: 'develop' }
  writeFileSync(join(run, 'spec.json'), JSON.stringify({ env: told }))
  await using host = await openInOutage({ env })
  await host.hostState.save('outage', {})
  renameSync(join(root, '.journal', '000001'), join(root, '.journal', '000003'))
}

/** The built program in a process that takes one call after the other. */
const openProgram = ({ folder, env }: Ground) => {
  const path = fileURLToPath(new URL('in-turn.mjs', import.meta.url))
  const child: ChildProcess = fork(path, {
    cwd: folder,
    env: { PATH: process.env['PATH'], EDITOR: `sh '${join(folder, 'editor.sh')}'`, ...env },
    execArgv: [],
  })
  return {
    async call({ args, input }: Typed): Promise<Ended> {
      const answer = once(child, 'message')
      child.send({ args, input })
      const [ended] = await answer
      return ended
    },
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

/** With `--yes` where a person would be asked, and `--json` besides where that is wanted. */
const callOf = ({ args, input }: Typed, { yes, json }: { yes: boolean; json: boolean }): Typed => ({
  args: [...args, ...(yes ? ['--yes'] : []), ...(json && !args.includes('--json') ? ['--json'] : [])],
  input,
})

/** What came of an example, and of the same with `--json`. */
const runExample = async (call: (typed: Typed) => Promise<Ended>, example: Typed, prints: boolean) => {
  const plain = await call(example)
  const isAsked = plain.status === 2 && plain.stderr.includes('Nobody can be asked here')
  const ended = isAsked ? await call(callOf(example, { yes: true, json: false })) : plain
  return { ended, json: prints ? await call(callOf(example, { yes: isAsked, json: true })) : null }
}

const schemaIsMet = (prints: z.ZodType, stdout: string): void => {
  // A log is an object a line, everything else one object.
  const texts = stdout.startsWith('{\n') ? [stdout] : stdout.trimEnd().split('\n')
  for (const text of texts) jsonOf(prints, { stdout: text })
}

const wanted = [...abouts].filter(([path]) => !elsewhere.includes(path))

describe.each(Object.entries(grounds) as [Kind, () => Promise<Ground>][])('on %s', (kind, open) => {
  test('every command does each of its examples, and prints with --json what its schema says', {
    timeout: 180_000,
  }, async () => {
    await using ground = await open()
    await using database = kind === 'files' ? await freshDatabase(await testDsn()) : null
    if (database) ground.env['NEXUS_STORAGE_DSN'] = database.dsn
    await furnish(ground)
    const { dir, dsn } = readConfig(ground.env)
    const { context } = createFakes()
    await using onFiles = await openFsBackend({ root: dir, ...context })
    await using onPostgres = await openPgBackend({ dsn: dsn ?? '', ...context })
    const homes = kind === 'files' ? [onFiles] : kind === 'postgres' ? [onPostgres] : [onFiles, onPostgres]
    ground.env['OTHER_DSN'] = dsn ?? ''
    ground.env['OTHER_ROOT'] = join(ground.folder, 'other')
    using program = openProgram(ground)
    const codes: Record<string, number | null> = {}
    const parsed: string[] = []
    for (const [path, { examples, prints }] of wanted) {
      for (const example of examples.filter((each) => !endless.includes(each))) {
        const [call] = typed(ground.folder, [example])
        if (!call) throw new Error(`No shell makes a call of ${example}`)
        for (const home of homes) await prepare(home)
        const { ended, json } = await runExample(program.call, call, prints !== null)
        codes[example] = ended.status
        if (!prints || !json || json.stdout === '') continue
        schemaIsMet(prints, json.stdout)
        parsed.push(path)
      }
    }
    expect(codes).toEqual(Object.fromEntries(Object.keys(codes).map((example) => [example, endOf(example, kind)])))
    expect([...new Set(parsed)]).toEqual(
      wanted.flatMap(([path, { prints }]) => (prints && !silent[kind].includes(path) ? [path] : [])),
    )
  })
})
