import { once } from 'node:events'
import type { Backend } from '@nexus/core'
import { expect, test } from 'vitest'
import { report, verify } from './verify.ts'
import { createWorld, enqueuedTask, projects, routings, taskMarkdown, type World } from './world.ts'

const tasks = 20
const projectOf = (n: number): string => projects[n % projects.length] ?? projects[0]

/** Half enqueued by a program; of the rest every other one dropped by an editor while the host is at work. */
const bringTasks = async (world: World, stores: Backend): Promise<void> => {
  const numbers = Array.from({ length: tasks }, (_, n) => n)
  const [enqueued, dropped] = [numbers.filter((n) => n % 2 === 0), numbers.filter((n) => n % 2 === 1)]
  const answers = await stores.inbox.enqueue(enqueued.map((n) => enqueuedTask(n, projectOf(n))))
  expect(answers.map(({ status }) => status)).toEqual(enqueued.map(() => 'enqueued'))
  for (const n of dropped) await world.editorDrops(projectOf(n), `dropped ${n}.md`, taskMarkdown(n))
}

/** Moments in milliseconds after a host's start; `NEXUS_PROOF_SEED` replays them. */
const killMoments = (): { seed: number; moments: number[] } => {
  const seed = Number(process.env['NEXUS_PROOF_SEED'] ?? Math.trunc(Math.random() * 1e9))
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
  return { seed, moments: Array.from({ length: 10 }, () => Math.round(150 + next() * 1500)) }
}

const finish = async (world: World): Promise<void> => {
  const host = world.startHost('--once')
  const [code] = await once(host, 'exit')
  expect(code, host.said.join('')).toBe(0)
}

for (const [name, routing] of Object.entries(routings)) {
  test(`twenty tasks through three real agents each: ${name}`, async () => {
    await using world = await createWorld(routing)
    {
      await using stores = await world.openStores()
      await bringTasks(world, stores)
    }
    await finish(world)
    report(`real-input ${name}`, await verify(world, tasks))
  })

  test(`the same with the host killed at ten random moments: ${name}`, async () => {
    await using world = await createWorld(routing)
    {
      await using stores = await world.openStores()
      await bringTasks(world, stores)
    }
    const { seed, moments } = killMoments()
    for (const moment of moments) {
      const host = world.startHost()
      const gone = once(host, 'exit')
      const alarm = setTimeout(() => host.kill('SIGKILL'), moment)
      const [code, signal] = await gone
      clearTimeout(alarm)
      expect({ code, signal }, host.said.join('')).toEqual({ code: null, signal: 'SIGKILL' })
    }
    await finish(world)
    report(`real-input ${name}, killed after ${moments.join(', ')} ms`, { seed, ...(await verify(world, tasks)) })
  })
}
