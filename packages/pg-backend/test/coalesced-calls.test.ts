import { describe, expect, test } from 'vitest'
import { usePostgres } from './harness.ts'
import { aCompletion, present } from './samples.ts'

const open = usePostgres()
const numbers = Array.from({ length: 300 }, (_, n) => n)

describe('calls that come together', () => {
  test('each saves its own value and has its own rev', async () => {
    await using t = await open()
    const { hostState } = t.backend
    for (const round of ['first', 'second']) {
      const saved = await Promise.all(numbers.map((n) => hostState.save(`k${n}`, { n, round })))
      for (const n of numbers) {
        const entry = present(await hostState.load(`k${n}`))
        expect(entry.value).toEqual({ n, round })
        expect(saved[n]).toEqual({ status: 'saved', rev: entry.rev })
      }
    }
  })

  test('each loads what it asked for, as often as it is asked for at once', async () => {
    await using t = await open()
    const { hostState } = t.backend
    await Promise.all(numbers.map((n) => hostState.save(`k${n}`, { n })))
    await t.sql.query(`UPDATE nexus_host_state SET data = '{' WHERE key = 'k7'`)
    const keys = [...numbers.map((n) => `k${n}`), ...numbers.map(() => 'k3'), 'none', 'a\0b']
    const loaded = await Promise.allSettled(keys.map((key) => hostState.load(key)))
    const loadedAs = (n: number) => Object(loaded[n]).value?.value
    expect(numbers.filter((n) => n !== 7).map(loadedAs)).toEqual(numbers.filter((n) => n !== 7).map((n) => ({ n })))
    expect(numbers.map((n) => loadedAs(300 + n))).toEqual(numbers.map(() => ({ n: 3 })))
    expect(loaded[7]).toMatchObject({ status: 'rejected', reason: { code: 'corrupt' } })
    expect(loaded.slice(600)).toEqual([
      { status: 'fulfilled', value: null },
      { status: 'fulfilled', value: null },
    ])
  })

  test('of one key and one moment the last in the store is one of them, and all answered', async () => {
    await using t = await open()
    const { hostState } = t.backend
    const saved = await Promise.all(numbers.map((n) => hostState.save('one', n)))
    const entry = present(await hostState.load('one'))
    expect(new Set(saved.map(({ status }) => status))).toEqual(new Set(['saved']))
    expect(saved).toContainEqual({ status: 'saved', rev: entry.rev })
  })

  test('a row that somebody keeps locked holds up none but its own call', async () => {
    await using t = await open()
    const { hostState, completions } = t.backend
    await Promise.all(numbers.map((n) => hostState.save(`k${n}`, 'before')))
    await Promise.all(numbers.map((n) => completions.save(aCompletion({ issueNumber: `${n}`, summary: 'before' }))))
    const other = await t.sql.connect()
    await other.query(`BEGIN; SELECT FROM nexus_host_state WHERE key = 'k50' FOR UPDATE;
      SELECT FROM nexus_completions WHERE issue_number = '50' FOR UPDATE`)
    const isLocked = (n: number): boolean => n === 50
    const states = numbers.map((n) => hostState.save(`k${n}`, 'after'))
    const reports = numbers.map((n) => completions.save(aCompletion({ issueNumber: `${n}`, summary: 'after' })))
    const free = (calls: readonly Promise<unknown>[]) => calls.filter((_, n) => !isLocked(n))
    expect(new Set((await Promise.all(free(states))).map((answer) => Object(answer).status))).toEqual(
      new Set(['saved']),
    )
    const done = await Promise.all(free(reports))
    expect(new Set(done.map((answer) => Object(answer).status))).toEqual(new Set(['updated']))
    await other.query('ROLLBACK')
    other.release()
    expect(await states[50]).toMatchObject({ status: 'saved' })
    expect(await reports[50]).toMatchObject({ status: 'updated' })
  })

  test('a bad name is refused to its own call alone, and what cannot be read is not written over unseen', async () => {
    await using t = await open()
    const { hostState } = t.backend
    await t.sql.query(`INSERT INTO nexus_host_state (key, data, updated_at) VALUES ('k7', '{', now())`)
    const names = numbers.map((n) => (n === 5 ? 'a/b' : `k${n}`))
    const settled = await Promise.allSettled(names.map((name) => hostState.save(name, 1)))
    const refused = settled.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))
    expect(refused).toEqual([5, 7])
    expect(settled[5]).toMatchObject({ reason: { code: 'invalid' } })
    expect(settled[7]).toMatchObject({ reason: { code: 'corrupt' } })
    const { rows } = await t.sql.query(`SELECT data FROM nexus_host_state WHERE key = 'k7'`)
    expect(rows).toEqual([{ data: '{' }])
  })

  test('reports of one issue by several projects have keys of their own', async () => {
    await using t = await open()
    const { completions } = t.backend
    const projects = numbers.map((n) => `p${n % 100}`)
    const saved = await Promise.all(
      projects.map((project, n) => completions.save(aCompletion({ project, summary: `s${n}` }))),
    )
    expect(new Set(saved.map(({ dedupKey }) => dedupKey)).size).toBe(100)
    const { rows } = await t.sql.query('SELECT project FROM nexus_completions')
    expect(rows).toHaveLength(100)
  })

  test('tasks are enqueued once each and completed once each', async () => {
    await using t = await open()
    const { inbox } = t.backend
    const name = (n: number) => `t${n % 150}.md`
    const enqueued = await Promise.all(
      numbers.map((n) => inbox.enqueue([{ project: 'shop', filename: name(n), markdown: 'Text.' }])),
    )
    const answers = enqueued.flat()
    expect(answers.filter(({ status }) => status === 'enqueued')).toHaveLength(150)
    for (const n of numbers) expect(answers[n]?.id).toBe(answers[n % 150]?.id)
    const claimed = await inbox.claim({ worker: 'w', limit: 150, leaseMs: 60_000 })
    expect(claimed).toHaveLength(150)
    const twice = await Promise.all([...claimed, ...claimed].map(({ claim }) => inbox.complete(claim)))
    expect(new Set(twice.map(({ status }) => status))).toEqual(new Set(['done']))
    const stale = claimed.map(({ claim }) => inbox.complete({ ...claim, epoch: claim.epoch + 1 }))
    expect(new Set((await Promise.all(stale)).map(({ status }) => status))).toEqual(new Set(['lease-lost']))
    expect(await inbox.counts()).toMatchObject({ done: 150, pending: 0, processing: 0 })
  })
})
