import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openMoveFolder } from '../src/move/folder.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const built = here(`../node_modules/.cache/lock-${process.pid}-${Date.now()}`)
const program = join(built, 'lock.js')
const programs = 16

beforeAll(() =>
  build({
    config: false,
    silent: true,
    entry: { lock: here('programs/lock.ts') },
    outDir: built,
    format: 'esm',
    target: 'node20.19',
    splitting: false,
    removeNodeProtocol: false,
    external: [/^(?!\.{0,2}\/)/],
  }),
)
afterAll(() => rmSync(built, { recursive: true, force: true }))

const openRoot = () => {
  const root = mkdtempSync(join(tmpdir(), 'nexus-lock-'))
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}

/** What a program says that takes the lock and is killed with it. */
const killedWithLock = async (root: string): Promise<string> => {
  const child = spawn(process.execPath, [program, root], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return stdout + stderr
}

test('of many programs that find the lock of a dead one, one at a time takes it', async () => {
  using ground = openRoot()
  const said = await Promise.all(Array.from({ length: programs }, () => killedWithLock(ground.root)))
  expect(said).toEqual(Array.from({ length: programs }, () => 'alone\n'))
})

test('a second file that a dead migrator has left is named, and nothing is removed', async () => {
  using ground = openRoot()
  const folder = openMoveFolder(ground.root)
  await killedWithLock(ground.root)
  copyFileSync(join(folder.place, 'lock'), join(folder.place, 'lock.clearing'))
  await expect(folder.lock()).rejects.toThrow(`remove ${join(folder.place, 'lock.clearing')} and repeat the command`)
})
