import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openFsBackend } from '@nexus/fs-backend'
import { createFakes } from '@nexus/testkit'
import { inboxTasks } from '@nexus/testkit/existing'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { AuditList } from '../src/audit/commands.ts'
import { Diagnosis } from '../src/see/doctor/diagnosis.ts'
import { spaceFinding } from '../src/see/doctor/root.ts'
import { type Ground, grounds, jsonOf } from './admin.ts'
import { anywhere, onFiles } from './doctor-faults.ts'
import { onPostgres } from './doctor-faults-postgres.ts'
import { createPatient, type Fault, fill } from './doctor-patient.ts'

const exits = { ok: 0, warn: 3, fail: 1 } as const

/** What the doctor says, which is what its schema says, and its exit code what its status says. */
const diagnose = async (ground: Ground, args: readonly string[] = [], env: Record<string, string> = {}) => {
  const ended = await ground.admin(['doctor', '--json', ...args], { env })
  expect(ended.stderr).toBe('')
  expect(ended.stdout).not.toContain('canary')
  const diagnosis = jsonOf(Diagnosis, ended)
  const isConfiguration = diagnosis.checks.some(({ name, status }) => name === 'configuration' && status === 'fail')
  expect(ended.status).toBe(isConfiguration ? 78 : exits[diagnosis.status])
  return diagnosis
}

/** The checks that found something, by name. */
const faultsIn = ({ checks }: Diagnosis): Record<string, string> =>
  Object.fromEntries(checks.filter(({ status }) => status !== 'ok').map(({ name, status }) => [name, status]))

/** A private server of tests does not wait for its disk. */
const faultsOfServer = async ({ env }: Ground): Promise<Record<string, string>> => {
  if (env['NEXUS_STORAGE_DSN'] === undefined) return {}
  const client = new pg.Client({ connectionString: env['NEXUS_STORAGE_DSN'] })
  await client.connect()
  try {
    const { rows } = await client.query<{ off: boolean }>(
      `SELECT bool_or(setting = 'off') AS off FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')`,
    )
    return rows[0]?.off ? { durability: 'warn' } : {}
  } finally {
    await client.end()
  }
}

/** Every file and folder below the root with its mode and content. */
const snapshot = (root: string): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const stat = statSync(join(root, name))
      return `${name} ${stat.mode} ${stat.mtimeMs} ${stat.isFile() ? readFileSync(join(root, name), 'base64') : ''}`
    })

const namesOnBoth = ['configuration', 'variables', 'host-file', 'root', 'disk', 'access', 'secrets', 'temp-files']
const namesOfServer = [
  ...['database', 'server-version', 'standby', 'durability', 'rights', 'other-inbox', 'schema', 'clock'],
]
const namesOfWork = ['leases', 'foreign-claims', 'dead-letters', 'launched-agents', 'fuses', 'runs']
const namesWithServer = [
  ...[...namesOnBoth, ...namesOfServer, 'journal', 'conflicts', 'quarantine', 'records', 'other-backend', 'moved'],
  ...namesOfWork,
]

describe('a healthy place', () => {
  test.each([
    ['files', [...namesOnBoth, 'journal', 'quarantine', 'records', 'moved', ...namesOfWork]],
    ['postgres', namesWithServer],
    ['mixed', namesWithServer],
  ] as const)('is well in every check on %s, and looking changes nothing', async (kind, names) => {
    await using ground = await grounds[kind]()
    const patient = createPatient(ground)
    await fill(patient)
    const before = snapshot(patient.root)
    const diagnosis = await diagnose(ground)
    expect(diagnosis.checks.map(({ name }) => name)).toEqual(names)
    expect(faultsIn(diagnosis)).toEqual(await faultsOfServer(ground))
    expect(snapshot(patient.root)).toEqual(before)
  })

  test('what moved and stays until the move is finished is no fault', async () => {
    await using ground = await grounds.postgres()
    const patient = createPatient(ground)
    await fill(patient)
    await using files = await openFsBackend({ root: patient.root, ...createFakes().context })
    await files.workflows.save({
      id: 'shop-9-bug',
      name: 'Bug',
      state: 'running',
      currentStep: 0,
      data: {},
      project: 'shop',
      issueNumber: '9',
    })
    expect(faultsIn(await diagnose(ground, ['--only', 'other-backend']))).toEqual({ 'other-backend': 'warn' })
    await files.records?.markMoved([{ store: 'workflows', to: 'postgres', at: new Date() }])
    expect(faultsIn(await diagnose(ground))).toEqual(await faultsOfServer(ground))
  })

  test('may have no root yet, and looking makes none', async () => {
    await using ground = await grounds.files()
    expect(faultsIn(await diagnose(ground))).toEqual({})
    expect(readdirSync(ground.folder)).toEqual([])
  })
})

const examine = async (kind: 'files' | 'postgres', fault: Fault): Promise<void> => {
  await using ground = await grounds[kind]()
  const patient = createPatient(ground)
  await fill(patient)
  const healthy = await faultsOfServer(ground)
  const env = await fault.plant(patient)
  const diagnosis = await diagnose(ground, [], env)
  const isReached = !['configuration', 'database'].includes(fault.check)
  expect(faultsIn(diagnosis)).toEqual({ ...(isReached ? healthy : {}), [fault.check]: fault.status })
  const found = diagnosis.checks.find(({ name }) => name === fault.check)
  expect(found?.message).toMatch(fault.message)
  expect(found?.fix).toMatch(fault.fix)
  expect(found?.safe).toBe(fault.safe === true)

  if (fault.safe) {
    const mended = await diagnose(ground, ['--fix'], env)
    expect(faultsIn(mended)).toEqual(healthy)
    expect(mended.mended).toEqual([fault.check])
    const { changes } = jsonOf(AuditList, await ground.admin(['audit', '--json']))
    expect(changes).toMatchObject([
      {
        command: 'doctor',
        arguments: { fix: true, check: fault.check },
        what: found?.detail,
        result: { status: 'done' },
      },
    ])
    expect(faultsIn(await diagnose(ground, [], env))).toEqual(healthy)
  }
  for (const statement of patient.afterwards) await patient.sql(statement)
}

/** Faults that may stand side by side: none of them keeps another from being looked at. */
const together = [
  'quarantine',
  'records',
  'runs',
  'launched-agents',
  'fuses',
  'leases',
  'journal',
  'conflicts',
  'other-backend',
]

describe('each fault is found, by its check alone, with what mends it; --fix mends what is safe', () => {
  const titled = (faults: readonly Fault[]) => faults.map((fault) => [`${fault.check}: ${fault.what}`, fault] as const)

  test.each(titled([...anywhere, ...onFiles]))('on files, %s', (_, fault) => examine('files', fault))
  test.each(titled(onPostgres))('on PostgreSQL, %s', (_, fault) => examine('postgres', fault))

  test.each([
    ['files', onFiles],
    ['postgres', onPostgres],
  ] as const)("--fix touches nothing of what is a person's to decide, on %s", async (kind, faults) => {
    await using ground = await grounds[kind]()
    const patient = createPatient(ground)
    await fill(patient)
    const planted = faults.filter(({ check }) => together.includes(check))
    for (const { plant } of planted) await plant(patient)
    const before = snapshot(patient.root)
    const found = faultsIn(await diagnose(ground, ['--fix']))
    expect(Object.keys(found)).toEqual(expect.arrayContaining(planted.map(({ check }) => check)))
    expect(snapshot(patient.root)).toEqual(before)
    expect(faultsIn(await diagnose(ground))).toEqual(found)
  })

  test('access: a folder that its owner may not write into, which an owner may mend', async () => {
    await using ground = await grounds.files()
    const patient = createPatient(ground)
    await fill(patient)
    // The superuser may do everything everywhere, so that another one looks.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined
    const paths = ['', ...readdirSync(ground.folder, { recursive: true, encoding: 'utf8' })]
    if (uid !== undefined) for (const path of paths) chownSync(join(ground.folder, path), uid, uid)
    chmodSync(join(patient.root, 'workflows'), 0o500)
    const as = { ...ground, admin: (args: readonly string[]) => ground.admin(args, uid === undefined ? {} : { uid }) }
    const found = (await diagnose(as)).checks.find(({ status }) => status !== 'ok')
    expect(found).toMatchObject({ name: 'access', status: 'fail', safe: true })
    expect(found?.detail).toEqual([join(patient.root, 'workflows')])
    expect(found?.fix).toMatch(/^chmod u\+rwX .*workflows; --fix does it for all of them\.$/)
    expect(await diagnose(as, ['--fix'])).toMatchObject({ status: 'ok', mended: ['access'] })
    expect(statSync(join(patient.root, 'workflows')).mode & 0o777).toBe(0o700)
  })

  test('other-inbox: an inbox of an earlier program under its other name', async () => {
    await using ground = await grounds.postgres()
    await createPatient(ground).sql(inboxTasks)
    const found = (await diagnose(ground, ['--only', 'other-inbox'])).checks
    expect(found).toMatchObject([{ name: 'other-inbox', status: 'fail', fix: 'nexus-admin adopt', safe: false }])
  })
})

test('disk: what is told of the room that is left', () => {
  const [gib, mib] = [1024 ** 3, 1024 ** 2]
  const space = { freeBytes: 50 * gib, totalBytes: 100 * gib, freeFiles: 1e6, totalFiles: 2e6 }
  const verdict = (change: Partial<typeof space>) => spaceFinding('/srv/nexus', { ...space, ...change }).status
  expect(verdict({})).toBe('ok')
  expect(verdict({ freeBytes: 4 * gib })).toBe('ok')
  expect(verdict({ freeBytes: 1023 * mib })).toBe('warn')
  expect(verdict({ freeBytes: 63 * mib })).toBe('fail')
  expect(verdict({ freeFiles: 9_999 })).toBe('warn')
  expect(verdict({ freeFiles: 499 })).toBe('fail')
  expect(verdict({ freeFiles: 0, totalFiles: 0 })).toBe('ok')
  expect(verdict({ freeBytes: 900 * mib, totalBytes: gib })).toBe('ok')
  expect(spaceFinding('/srv/nexus', { ...space, freeBytes: 63 * mib }).message).toBe(
    'The file system of /srv/nexus is nearly full: 63 MiB (0.1 %) and 1000000 files are free.',
  )
})

test('for a person: a line for each check, what to do where something is wrong, and the sum', async () => {
  await using ground = await grounds.files()
  const { status, stdout } = await ground.admin(['doctor'], { env: { NEXUS_DIRR: 'x' } })
  expect(status).toBe(3)
  expect(stdout).toMatch(/^ok {4}configuration {2}The variables fit together\.$/m)
  expect(stdout).toMatch(/^warn {2}variables {6}Nothing reads NEXUS_DIRR\.$/m)
  expect(stdout).toMatch(/^ {6}→ Rename NEXUS_DIRR to NEXUS_DIR\.$/m)
  expect(stdout).toMatch(/^5 checks: 4 ok, 1 to look at, 0 failed\.$/m)
})

test('a check that there is not is a usage error that names those that there are', async () => {
  await using ground = await grounds.files()
  const { status, stdout, stderr } = await ground.admin(['doctor', '--only', 'nonsense'])
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toMatch(/^There is no check nonsense\. The checks are configuration, variables, .*, runs\.\n$/)
})
