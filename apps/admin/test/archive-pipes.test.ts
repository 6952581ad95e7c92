import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { grounds } from './admin.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

test('an archive that finds no room, or whose reader goes away, is no success; a list that is cut is one', async () => {
  await using ground = await grounds.files()
  {
    await using stores = await openStores(ground.env)
    for (const key of ['a', 'b']) await stores.hostState.save(key, 'x'.repeat(500_000))
  }
  const env = { ...ground.env, PATH: process.env['PATH'] }
  const shell = async (command: string) => {
    const child = spawn('bash', ['-c', command], { env })
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    return { errors, code }
  }
  const full = await shell(`node ${main} export > /dev/full`)
  expect(full.code).toBe(1)
  expect(full.errors).toMatch(/^standard output cannot be written \(ENOSPC\)\./m)
  const folder = join(ground.folder, 'backup')
  mkdirSync(folder)
  const file = join(folder, 'a.jsonl')
  const outgrown = await shell(`trap '' XFSZ; ulimit -f 100; node ${main} export '${file}'`)
  expect(outgrown.code).toBe(1)
  expect(outgrown.errors).toContain(`${file} cannot be written (EFBIG). Make room, or name a file elsewhere.\n`)
  expect(readdirSync(folder)).toEqual([])
  const cutBy = (args: string) => shell(`node ${main} ${args} | head -c 10 > /dev/null; exit \${PIPESTATUS[0]}`)
  const cut = await cutBy('export')
  expect(cut.code).toBe(1)
  expect(cut.errors).toMatch(/^The reader of standard output is gone: the archive is cut/m)
  expect((await cutBy('state get a')).code).toBe(0)
})

test('an import that waits on standard input ends when it is asked to, and leaves no file', async () => {
  await using ground = await grounds.files()
  const temp = join(ground.folder, 'temp')
  mkdirSync(temp)
  const env = { ...ground.env, PATH: process.env['PATH'], TMPDIR: temp }
  const watcher = watch(temp)
  const made = once(watcher, 'change')
  const child = spawn(process.execPath, [main, 'import', '-'], { env })
  await made
  watcher.close()
  child.kill('SIGTERM')
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  expect(code).toBe(1)
  expect(errors).toMatch(/^Interrupted\./m)
  expect(readdirSync(temp)).toEqual([])
})
