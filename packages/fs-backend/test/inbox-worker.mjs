import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '@nexus/fs-backend'

const [mode, root, worker] = process.argv.slice(2)
const leaseMs = 60_000
const context = { clock: systemClock, ids: createIds(systemClock), logger: silentLogger, liveness: () => 'unknown' }
const { inbox } = await openFsBackend({ root, ...context })

/** Only what was acknowledged is said, and it is said before the next step. */
const say = (fields) => writeSync(1, `${JSON.stringify(fields)}\n`)

const claim = (limit) => inbox.claim({ worker, leaseMs, limit })

const modes = {
  /** Takes and completes until the queue is empty. */
  async drain() {
    for (;;) {
      const claimed = await claim(3)
      for (const task of claimed) {
        say({ claimed: task.id })
        await inbox.complete(task.claim)
      }
      const { pending } = await inbox.counts()
      if (claimed.length === 0 && pending === 0) return
    }
  },

  /** Enqueues, claims and ends tasks in every way until it is killed. */
  async churn() {
    for (let n = 0; ; n += 1) {
      const task = { filename: `${worker}-${n}.md`, markdown: `# ${n}\n`, maxAttempts: 1000 }
      const [one, two] = await inbox.enqueue([
        { ...task, project: 'apollo' },
        { ...task, project: 'gemini', idempotencyKey: `${worker}-${n}` },
      ])
      say({ enqueued: [one.id, two.id] })
      for (const { id, project, claim: held } of await claim(2)) {
        say({ claimed: id, epoch: held.epoch })
        await inbox.bind(held, { issueNumber: `${worker}-${n}-${project}` })
        if (n % 3 === 0) await inbox.release(held)
        else if (n % 7 === 1) await inbox.fail(held, 'again', { retryAt: new Date() })
        else if ((await inbox.complete(held)).status === 'done') say({ done: id })
      }
    }
  },

  /** Waits for one hint; nothing may keep the process after that. */
  async watch() {
    const stop = new AbortController()
    for await (const hint of inbox.watch(stop.signal)) {
      say({ hint })
      stop.abort()
    }
  },

  /** Claims one task, and completes it when it is told to. */
  async hold() {
    const [task] = await claim(1)
    say(task.claim)
    for await (const _ of createInterface({ input: process.stdin }))
      say({ heartbeat: await inbox.heartbeat([task.claim]), complete: await inbox.complete(task.claim) })
  },
}

await modes[mode]()
