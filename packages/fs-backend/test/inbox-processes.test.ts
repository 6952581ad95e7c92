import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { claimUpTo, hour, leaseMs, listAll, openInbox, recover, task } from './inbox-opening.ts'

const script = fileURLToPath(new URL('inbox-worker.mjs', import.meta.url))

const present = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('Expected the worker to say more.')
  return value
}

interface Said {
  enqueued?: string[]
  claimed?: string
  done?: string
  epoch?: number
  id?: string
  complete?: { status: string }
  hint?: { project: string | null }
  heartbeat?: { lost: { id: string }[] }
}

interface Worker extends Disposable {
  process: ChildProcess
  /** The next line that it says. */
  next(): Promise<Said>
  /** All lines that it says until it ends and nobody took. */
  rest(): Promise<Said[]>
}

const start = (mode: string, root: string, worker: string): Worker => {
  const process = spawn(globalThis.process.execPath, [script, mode, root, worker], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: Said[] = []
  const reader = createInterface({ input: process.stdout })
  reader.on('line', (line) => void lines.push(JSON.parse(line) as Said))
  const closed = once(reader, 'close')
  return {
    process,
    async next() {
      while (lines.length === 0) await Promise.race([once(reader, 'line'), closed.then(() => present(lines[0]))])
      return present(lines.shift())
    },
    async rest() {
      await closed
      return lines.splice(0)
    },
    [Symbol.dispose]: () => void process.kill('SIGKILL'),
  }
}

test('[C-INBOX-3] four processes on one folder take each task once', async () => {
  await using t = await openInbox()
  const batch = Array.from({ length: 60 }, (_, n) => task({ project: `p${n % 3}`, filename: `${n}.md` }))
  const ids = (await t.inbox.enqueue(batch)).map(({ id }) => id)
  const workers = ['a', 'b', 'c', 'd'].map((name) => start('drain', t.root, name))
  const said = (await Promise.all(workers.map((worker) => worker.rest()))).flat()

  expect(said.map(({ claimed }) => claimed).sort()).toEqual(ids.sort())
  expect(await t.inbox.counts()).toEqual({ pending: 0, processing: 0, done: 60, failed: 0 })
})

test('[C-ALL-1] processes killed at any moment lose and double nothing that was acknowledged', async () => {
  await using t = await openInbox()
  const said: Said[] = []
  for (const [round, lines] of [3, 8, 13, 21, 34, 16, 5].entries()) {
    using one = start('churn', t.root, `one-${round}`)
    using two = start('churn', t.root, `two-${round}`)
    for (let n = 0; n < lines; n += 1) said.push(await one.next())
    one.process.kill('SIGKILL')
    two.process.kill('SIGKILL')
    for (const worker of [one, two]) said.push(...(await worker.rest()))
  }

  const enqueued = said.flatMap((line) => line.enqueued ?? [])
  const done = said.flatMap((line) => line.done ?? [])
  t.clock.advance(hour)
  const inbox = await recover(t)
  const listed = await listAll(inbox)
  const byId = new Map(listed.map((item) => [item.id, item]))
  expect(byId.size).toBe(listed.length)
  expect(enqueued.filter((id) => !byId.has(id))).toEqual([])
  expect(done.filter((id) => byId.get(id)?.status !== 'done')).toEqual([])
  expect(new Set(done).size).toBe(done.length)
  const claims = said.filter(({ claimed }) => claimed).map(({ claimed, epoch }) => `${claimed} ${epoch}`)
  expect(new Set(claims).size).toBe(claims.length)
  expect(await inbox.counts()).toMatchObject({ processing: 0 })

  const worked = new Set(listed.filter(({ status }) => status === 'done').map(({ id }) => id))
  for (let claimed = await claimUpTo(inbox, 50); claimed.length > 0; claimed = await claimUpTo(inbox, 50))
    for (const { id, claim } of claimed) {
      expect(worked.has(id)).toBe(false)
      worked.add(id)
      expect(await inbox.complete(claim)).toEqual({ status: 'done' })
    }
  expect(worked.size).toBe(listed.length)
})

test('[C-INBOX-7] a holder that was stopped for longer than its lease has lost its task and changes nothing', async () => {
  await using t = await openInbox()
  await t.inbox.enqueue([task()])
  using holder = start('hold', t.root, 'sleeper')
  const { id } = await holder.next()
  holder.process.kill('SIGSTOP')

  await t.inbox.sweep()
  t.clock.advance(leaseMs + 1000)
  expect(await t.inbox.sweep()).toEqual({ freed: [id], failed: [] })
  const [second] = await claimUpTo(t.inbox, 1, 'heir')
  expect(second).toMatchObject({ id, recoveries: 1 })

  holder.process.kill('SIGCONT')
  present(holder.process.stdin ?? undefined).write('complete\n')
  const answer = await holder.next()
  expect(answer.complete).toEqual({ status: 'lease-lost' })
  expect(answer.heartbeat?.lost).toMatchObject([{ id }])
  expect(await t.inbox.load(present(id))).toMatchObject({ status: 'processing', claimedBy: 'heir' })
  expect(second && (await t.inbox.complete(second.claim))).toEqual({ status: 'done' })
  holder.process.stdin?.end()
  await once(holder.process, 'exit')
})

test('[C-INBOX-19] a watch that ended leaves nothing open: the process ends by itself', async () => {
  await using t = await openInbox()
  await t.inbox.enqueue([task()])
  using watcher = start('watch', t.root, 'watcher')
  expect(await watcher.rest()).toEqual([{ hint: { project: null } }])
  expect(watcher.process.exitCode ?? (await once(watcher.process, 'exit'))[0]).toBe(0)
})
