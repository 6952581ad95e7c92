import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'
import { backends, startHosting } from './hosting.ts'
import { publish } from './results.ts'

const main = fileURLToPath(new URL('../apps/admin/dist/main.js', import.meta.url))
const looks = 9
const tasks = 1_000

for (const backend of backends)
  test(`nexus-admin doctor beside a host that is well: ${backend}`, { timeout: 300_000 }, async () => {
    await using hosting = await startHosting(backend, { steps: 1, command: () => ['true'] })
    const runAt = new Date(Date.now() + 24 * 3_600_000)
    const later = (n: number) => ({ project: 'shop', filename: `later-${n}.md`, markdown: 'Later.', runAt })
    await hosting.stores.inbox.enqueue(Array.from({ length: tasks }, (_, n) => later(n)))
    const times = (args: readonly string[]): number[] =>
      Array.from({ length: looks }, () => {
        const begun = performance.now()
        spawnSync(process.execPath, [main, ...args], { cwd: hosting.folder, env: { ...process.env, ...hosting.env } })
        return performance.now() - begun
      })
    publish({
      row: `nexus-admin doctor, ${backend}`,
      unit: 'ms',
      rounds: { ours: times(['doctor']), '--help': times(['--help']) },
      mark: { atMost: 1000 },
    })
  })
