import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStores } from '../../host/proof/stores.ts'
import { grounds } from './admin.ts'

test('commands, options, their values and ids are completed', async () => {
  await using ground = await grounds.files()
  await using stores = await openStores(ground.env)
  await stores.hostState.save('agents', {})
  await stores.hostState.save('issue_counters', {})
  await stores.hostState.save('agents; $(touch hacked)', {})
  const [task] = await stores.inbox.enqueue([{ project: 'shop', filename: 'a.md', markdown: 'x' }])
  const complete = async (...words: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await ground.admin(['complete', '--', ...words])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    return stdout.split('\n').filter(Boolean)
  }
  expect(await complete('in')).toEqual(['inbox'])
  expect(await complete('inbox', '')).toEqual(['ls', 'show', 'add', 'requeue', 'retry', 'cancel', 'purge', 'help'])
  expect(await complete('inbox', 'requeue', '--dr')).toEqual(['--dry-run'])
  expect(await complete('inbox', 'purge', '--status', '')).toEqual(['done', 'failed'])
  expect(await complete('inbox', 'requeue', '--project', 'shop', '')).toEqual([task?.id])
  expect(await complete('state', 'get', '')).toEqual(['agents', 'issue_counters'])
  expect(await complete('state', 'get', 'agents', '')).toEqual([])
  expect(await complete('task', 'put', 'shop', '')).toEqual([])
})

test('a bash that read the script completes by it', async () => {
  await using ground = await grounds.files()
  await using stores = await openStores(ground.env)
  for (const key of ['issue_counters', 'issue_ids']) await stores.hostState.save(key, {})
  const { status, stdout: script } = await ground.admin(['completion-script', 'bash'])
  expect(status).toBe(0)
  const program = join(ground.folder, 'nexus-admin')
  const main = join(import.meta.dirname, '../dist/main.js')
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(program, 0o755)
  const asked = `${script}
COMP_WORDS=(nexus-admin state get issue_)
COMP_CWORD=3
_nexus_admin
printf '%s\\n' "\${COMPREPLY[@]}"`
  const bash = spawnSync('bash', ['--norc', '-c', asked], {
    env: { ...ground.env, PATH: `${ground.folder}:${process.env['PATH']}` },
    encoding: 'utf8',
  })
  expect(bash).toMatchObject({ status: 0, stdout: 'issue_counters\nissue_ids\n', stderr: '' })
})
