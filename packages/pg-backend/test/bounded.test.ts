import { type Backend, isStoreError } from '@nexus/core'
import { createFakes } from '@nexus/testkit'
import { expect, test } from 'vitest'
import { openPgBackend } from '../src/index.ts'
import { usePostgres } from './harness.ts'
import { openLine } from './line.ts'
import { aCompletion, aWorkflow, present } from './samples.ts'

const open = usePostgres()

const task = { project: 'alpha', filename: 'a.md', markdown: 'text' }
const file = { project: 'alpha', filename: 'a.md', content: 'text' }
const nothing = { known: 'nothing' } as const

/** Calls that make several statements, on what `fill` leaves; each is one record. */
const calls: [string, (backend: Backend) => Promise<unknown>][] = [
  ['hostState.save, guarded', ({ hostState }) => hostState.save('new', 1, { ifRev: null })],
  ['hostState.patch', ({ hostState }) => hostState.patch('agents', { entries: { a: 2 } })],
  ['hostState.update', ({ hostState }) => hostState.update('agents', () => 2)],
  ['hostState.delete', ({ hostState }) => hostState.delete('agents')],
  ['completions.delete', ({ completions }) => completions.delete('7:developer:complete')],
  ['workflows.save', ({ workflows }) => workflows.save(aWorkflow())],
  ['workflows.delete', ({ workflows }) => workflows.delete('alpha-7-full')],
  ['taskFiles.close', ({ taskFiles }) => taskFiles.close('alpha', 'a.md')],
  ['taskFiles.delete', ({ taskFiles }) => taskFiles.delete('alpha', 'a.md')],
  ['inbox.enqueue of a twin', ({ inbox }) => inbox.enqueue([task])],
  ['inbox.requeue', ({ inbox }) => inbox.requeue('1')],
  ['inbox.complete', ({ inbox }) => inbox.complete({ id: '1', epoch: 1, worker: 'w' })],
  ['operations.patchState', ({ operations }) => present(operations).patchState('o1', 'agents', { entries: { a: 2 } })],
  [
    'operations.replay',
    ({ operations }) =>
      present(operations).replay([
        { operation: { id: 'o1', kind: 'state-save', key: 'agents', value: 1 }, at: 0, sent: false, base: nothing },
      ]),
  ],
  ['operations.resolve', ({ operations }) => present(operations).resolve('o1-1', 'theirs')],
]

const fill = async (backend: Backend): Promise<void> => {
  await backend.hostState.save('agents', { a: 1 })
  await backend.completions.save(aCompletion())
  await backend.workflows.save(aWorkflow())
  await backend.taskFiles.save(file)
  await backend.inbox.enqueue([task])
}

/** A round trip takes this long: one fits into the time of a call, two do not. */
const [lateMs, limitMs] = [2200, 4000]

test('[C-ALL-2] the time of a call is that of all its statements together', async () => {
  await using t = await open()
  await fill(t.backend)
  await using line = await openLine(t.dsn)
  const options = { timeoutMs: limitMs, maxConnections: calls.length + 1, ...createFakes().context }
  await using backend = await openPgBackend({ dsn: line.dsn, ...options })
  await Promise.all([...calls, null].map(() => backend.hostState.load('agents')))
  line.slow(lateMs)
  const single = backend.workflows.load('alpha-7-full')
  const ended = await Promise.all(
    calls.map(([name, call]) =>
      call(backend).then(
        () => `${name} was done`,
        (error: unknown) => `${name}: ${isStoreError(error, 'unavailable') ? 'unavailable' : error}`,
      ),
    ),
  )
  expect(ended).toEqual(calls.map(([name]) => `${name}: unavailable`))
  expect(await single).toMatchObject({ id: 'alpha-7-full' })
})
