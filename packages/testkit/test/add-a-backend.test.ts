import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../../', import.meta.url))
const page = join(repository, 'docs/add-a-backend.md')
const room = 'packages/log-backend'

/** The files that the page shows whole, by path. */
const filesOf = (markdown: string): Map<string, string> =>
  new Map(
    [...markdown.matchAll(/^```\w+ (packages\/\S+)\n(.*?)^```$/gms)].map(([, path = '', text = '']) => [path, text]),
  )

/** A workspace beside ours, with our own settings, our packages and the one of the page. */
const makeWorkspace = async (files: ReadonlyMap<string, string>): Promise<string> => {
  const root = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'nexus-page-'))
  for (const name of [
    'package.json',
    'tsconfig.base.json',
    'tsup.base.ts',
    'vitest.config.ts',
    'biome.json',
    '.gitignore',
  ])
    await copyFile(join(repository, name), join(root, name))
  for (const folder of ['apps', 'packages', 'node_modules', 'tmp']) await mkdir(join(root, folder))
  for (const name of await readdir(join(repository, 'node_modules')))
    if (name === '.bin' || !name.startsWith('.'))
      await symlink(join(repository, 'node_modules', name), join(root, 'node_modules', name))
  await symlink(join(repository, 'packages/testkit'), join(root, 'packages/testkit'))
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

/** What the package manager does for the dependencies that the page's package names. */
const linkDependencies = async (root: string): Promise<void> => {
  const { dependencies, devDependencies } = JSON.parse(await readFile(join(root, room, 'package.json'), 'utf8'))
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    const link = join(root, room, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    const ours = name.replace('@nexus/', 'packages/')
    await symlink(join(repository, ours === name ? `packages/core/node_modules/${name}` : ours), link)
  }
}

/** Two test runs and a type check of everything, on a machine that is doing the same besides. */
const timeout = 300_000

let workspace = ''
const children = new AbortController()

const run = (program: string, ...args: string[]): Promise<{ code: number | string; output: string }> =>
  new Promise((resolve) => {
    // Nothing of this run's own environment: the child is a test run of its own.
    const env = { PATH: process.env['PATH'], TMPDIR: join(workspace, 'tmp') }
    const options = { cwd: workspace, env, signal: children.signal }
    execFile(join(workspace, 'node_modules/.bin', program), args, options, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: `${stdout}${stderr}` }),
    )
  })

interface Report {
  numTotalTests: number
  numPassedTests: number
  testResults: { assertionResults: { title: string; status: string }[] }[]
}

const runTests = async (...filter: string[]) => {
  const file = join(workspace, 'report.json')
  const reporters = ['--reporter=json', `--outputFile=${file}`]
  const { code, output } = await run('vitest', 'run', '--project', room, ...reporters, ...filter)
  const report: Report = JSON.parse(await readFile(file, 'utf8').catch(() => Promise.reject(new Error(output))))
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  return { code, ...report, failed: results.filter(({ status }) => status === 'failed').map(({ title }) => title) }
}

beforeAll(async () => {
  workspace = await makeWorkspace(filesOf(await readFile(page, 'utf8')))
  await linkDependencies(workspace)
})

afterAll(() => {
  children.abort()
  return rm(workspace, { recursive: true })
})

test('every link of the page leads somewhere', async () => {
  const links = [...(await readFile(page, 'utf8')).matchAll(/\]\(([^)#]+)\)/g)].map(([, link = '']) => link)
  expect(links.length).toBeGreaterThan(20)
  expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([])
})

test('the files of the page are in the house style', async () => {
  expect(await run('biome', 'check', room)).toMatchObject({
    code: 0,
    output: expect.stringMatching(/Checked 13 files/),
  })
})

test('the files of the page pass the strict type check', { timeout }, async () => {
  expect(await run('tsc', '-p', room)).toEqual({ code: 0, output: '' })
})

test('the backend of the page passes every suite, alone and behind the router', { timeout }, async () => {
  const { code, failed, numTotalTests, numPassedTests } = await runTests()
  expect(failed).toEqual([])
  expect(code).toBe(0)
  expect(numPassedTests).toBe(numTotalTests)
  expect(numTotalTests).toBeGreaterThan(600)
})

/** Lines of the page, and the test that cannot pass without them. */
const lines = [
  {
    file: 'src/log.ts',
    line: 'if (after !== undefined && after !== (rows.get(key)?.rev ?? null)) return false',
    title: 'of two entries that follow the same rev one takes effect, in every opening the same',
  },
  {
    file: 'src/host-state.ts',
    line: 'if (refused) return refused',
    title: '[C-STATE-2] a save with a stale rev is refused and names the current one',
  },
]

test('without the lines that refuse a stale writer it passes no longer', { timeout }, async () => {
  for (const { file, line } of lines) {
    const path = join(workspace, room, file)
    const intact = await readFile(path, 'utf8')
    expect(intact).toContain(line)
    await writeFile(path, intact.replace(line, ''))
  }
  const { code, failed } = await runTests('test/log.test.ts', 'test/conformance.test.ts')
  expect(code).toBe(1)
  expect(failed).toEqual(expect.arrayContaining(lines.map(({ title }) => title)))
})
