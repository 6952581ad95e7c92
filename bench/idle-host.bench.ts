import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'vitest'
import { backends, startHosting } from './hosting.ts'
import { publish } from './results.ts'

const isLong = process.env['NEXUS_BENCH'] === 'long'
const measuredMs = isLong ? 30 * 60_000 : 60_000
const warmUpMs = isLong ? 60_000 : 10_000
const tasks = 1_000
/** At the memory, evenly through the time. */
const looks = 10
/** Of the system's clock that processor time is counted in. */
const ticksPerSecond = 100

const processorMs = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

const residentMb = async (pid: number): Promise<number> =>
  Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024

for (const backend of backends)
  test(`an idle host with a thousand tasks due later: ${backend}`, {
    timeout: measuredMs + 300_000,
  }, async () => {
    await using hosting = await startHosting(backend, { steps: 1, command: () => ['true'] })
    const runAt = new Date(Date.now() + 24 * 3_600_000)
    await hosting.stores.inbox.enqueue(
      Array.from({ length: tasks }, (_, n) => ({
        project: 'shop',
        filename: `later-${n}.md`,
        markdown: 'Later.',
        runAt,
      })),
    )
    const pid = hosting.host.pid ?? 0
    await delay(warmUpMs)
    const [cpu, begun] = [await processorMs(pid), performance.now()]
    const resident = [await residentMb(pid)]
    for (let look = 0; look < looks; look += 1) {
      await delay(measuredMs / looks)
      resident.push(await residentMb(pid))
    }
    const seconds = (performance.now() - begun) / 1000
    const [first = Number.NaN, ...later] = resident
    const held = `idle host, ${tasks} tasks due later, ${Math.round(seconds / 60)} min, ${backend}`
    const cpuPercent = ((await processorMs(pid)) - cpu) / seconds / 10
    publish({ row: `${held}: processor`, unit: '%', rounds: { ours: [cpuPercent] }, mark: { atMost: 0.5 } })
    publish({ row: `${held}: memory`, unit: 'MB', rounds: { ours: resident } })
    publish({
      row: `${held}: memory grown`,
      unit: 'MB',
      rounds: { ours: [(later.at(-1) ?? Number.NaN) - first] },
      mark: { atMost: 5 },
    })
  })
