import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createProgram } from '../src/program.ts'
import { typed } from './typed.ts'
import { understand } from './understand.ts'

const folder = mkdtempSync(join(tmpdir(), 'nexus-admin-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every example of the help is understood by the command that shows it', async () => {
  for (const [path, { examples }] of (await createProgram()).abouts)
    for (const [index, { args }] of typed(folder, examples).entries()) {
      const names = path.split(' ')
      expect(args.slice(0, 1), examples[index]).toEqual(names.slice(0, 1))
      await expect(understand((await createProgram()).program, args), examples[index]).resolves.toBe(undefined)
    }
})

test('every line of the reference is understood', async () => {
  const text = readFileSync(new URL('../../../docs/admin.md', import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.trimEnd().split('\n'),
  )
  expect(blocks.length).toBeGreaterThan(30)
  const calls = typed(folder, blocks)
  expect(calls).toHaveLength(blocks.length)
  for (const [index, { args }] of calls.entries())
    await expect(understand((await createProgram()).program, args), blocks[index]).resolves.toBe(undefined)
})
