import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { publish } from './results.ts'
import { interleave } from './rounds.ts'
import { openStores } from './stores.ts'

const processes = 4
const perRound = 400
/** Of one claim. */
const limit = 25

type Claimer = 'ours' | 'rename' | 'lockfile'

/** Four processes take what lies in the folder until there is nothing left; gives tasks per second, and the tasks. */
const race = async (claimer: Claimer, root: string): Promise<{ rate: number; taken: string[] }> => {
  const program = fileURLToPath(new URL(`claimers/${claimer}.mjs`, import.meta.url))
  const running = await Promise.all(
    Array.from({ length: processes }, async (_, n) => {
      const child = spawn(process.execPath, [program, root, `worker-${n}`, String(limit)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
      expect(await lines.next()).toEqual({ done: false, value: 'ready' })
      return { child, lines, ended: once(child, 'close') }
    }),
  )
  const begun = performance.now()
  for (const { child } of running) child.stdin.write('go\n')
  const said = await Promise.all(running.map(({ lines }) => lines.next()))
  const seconds = (performance.now() - begun) / 1000
  for (const { ended } of running) expect(await ended).toEqual([0, null])
  const taken = said.flatMap(({ value }) => JSON.parse(String(value)) as string[])
  return { rate: taken.length / seconds, taken }
}

test('four processes claim what lies in one folder, beside a plain rename and a library that locks', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bench-'))
  let round = 0

  const plain = (claimer: 'rename' | 'lockfile') => async (): Promise<number> => {
    round += 1
    const root = join(folder, `${claimer}-${round}`)
    for (const name of ['pending', 'processing', 'locks']) await mkdir(join(root, name), { recursive: true })
    const names = Array.from({ length: perRound }, (_, n) => `${n}.md`)
    for (const name of names) await writeFile(join(root, 'pending', name), 'Text.')
    const { rate, taken } = await race(claimer, root)
    expect(taken.toSorted()).toEqual(names.toSorted())
    return rate
  }

  const rounds = await interleave({
    async ours() {
      round += 1
      const root = join(folder, `ours-${round}`)
      await using stores = await openStores({ NEXUS_STORAGE_BACKEND: 'filesystem', NEXUS_DIR: root })
      const tasks = Array.from({ length: perRound }, (_, n) => ({
        project: `project-${n % 4}`,
        filename: `${round}-${n}.md`,
        markdown: 'Text.',
      }))
      const answers = await stores.inbox.enqueue(tasks)
      const { rate, taken } = await race('ours', root)
      expect(taken.toSorted()).toEqual(answers.map(({ id }) => id).toSorted())
      return rate
    },
    rename: plain('rename'),
    lockfile: plain('lockfile'),
  })
  publish({
    row: `claim from files, ${processes} processes, ${limit} at a time`,
    unit: '/s',
    rounds,
    against: 'rename',
    mark: { atLeast: 0.8 },
  })
  await rm(folder, { recursive: true })
})
