import { createIds, silentLogger, systemClock } from '@nexus/core'
import { openFsBackend } from '../../src/index.ts'
import { batchOf } from './batch.ts'

/** Works on one root until it is done or killed; a line says what was acknowledged, after it was. */
const [, , job = '', root = '', name = '', count = '0'] = process.argv

const acknowledge = (line: string): void => void process.stdout.write(`${line}\n`)

const backend = await openFsBackend({
  root,
  clock: systemClock,
  ids: createIds(systemClock),
  logger: silentLogger,
  liveness: () => 'unknown',
})
const { hostState, workflows, taskFiles, completions, records } = backend

const jobs: Record<string, (n: number) => Promise<void>> = {
  /** One more in a counter that all processes share. */
  async count() {
    const result = await hostState.update('counter', (value) => Number(value ?? 0) + 1)
    if (result.status === 'saved') acknowledge(`count ${result.value}`)
  },
  /** A member of its own in a state that all share. */
  async patch(n) {
    const result = await hostState.patch('shared', { entries: { [`${name}-${n}`]: n } })
    acknowledge(`${result.status} ${name}-${n}`)
  },
  /** The same guarded save as everybody else, on one workflow after the other. */
  async guarded(n) {
    const id = `race-${n}`
    const result = await workflows.save(
      { id, name, state: 'running', currentStep: n, data: { by: name } },
      { ifRev: null },
    )
    acknowledge(`${result.status} ${id}`)
  },
  /** The same completion key as everybody else. */
  async complete(n) {
    const result = await completions.save({
      project: 'alpha',
      issueNumber: String(n),
      agentType: 'developer',
      status: 'complete',
      summary: name,
      payload: { by: name },
      reportId: name,
    })
    acknowledge(`${result.status} ${n}`)
  },
  /** The same dedup key from a project of its own. */
  async own(n) {
    const result = await completions.save({
      project: name,
      issueNumber: String(n),
      agentType: 'developer',
      status: 'complete',
      summary: name,
      payload: { by: name },
      reportId: name,
    })
    acknowledge(`${result.status} ${result.dedupKey}`)
  },
  /** Closing what others close and reopen too. */
  async move(n) {
    const closed = await taskFiles[n % 2 === 0 ? 'close' : 'reopen']('alpha', 'task.md')
    acknowledge(closed.status)
  },
  /** The same, with words of its own in between: what is not found or got another name is no longer one file. */
  async edit(n) {
    const moved = await taskFiles[n % 2 === 0 ? 'close' : 'reopen']('alpha', 'task.md')
    acknowledge(moved.status === 'absent' ? moved.status : moved.filename)
    await taskFiles.save({ project: 'alpha', filename: 'task.md', content: `${name} ${n}` })
  },
  async scan() {
    const page = await completions.scan({ limit: 1000 })
    acknowledge(`scanned ${page.items.length}`)
  },
  /** Whole records, a batch of each of three stores. */
  async records(n) {
    const batch = batchOf(Number(name) + n)
    await records?.write('completions', batch.completions)
    acknowledge(`completions ${Number(name) + n}`)
    await records?.write('taskFiles', batch.taskFiles)
    acknowledge(`taskFiles ${Number(name) + n}`)
    await records?.write('inbox', batch.inbox)
    acknowledge(`inbox ${Number(name) + n}`)
  },
  /** Every kind of write, with what it wrote as the acknowledgement. */
  async mixed(n) {
    const value = `${name}-${n}`
    const filler = 'x'.repeat(20_000)
    await hostState.save('state', { value, filler })
    acknowledge(`state ${value}`)
    await workflows.save({ id: 'flow', name: value, state: 'running', currentStep: 0, data: { filler } })
    acknowledge(`workflow ${value}`)
    await taskFiles.save({
      project: 'alpha',
      filename: 'task.md',
      content: `${value}\n${filler}`,
      issueNumber: String(n),
    })
    acknowledge(`task ${value}`)
    await taskFiles[n % 2 === 0 ? 'close' : 'reopen']('alpha', 'task.md')
    await completions.save({
      project: 'alpha',
      issueNumber: '1',
      agentType: 'developer',
      status: 'complete',
      summary: value,
      payload: { value, filler },
      reportId: value,
    })
    acknowledge(`completion ${value}`)
    await hostState.delete('state')
    acknowledge('state -')
  },
}

const work = jobs[job]
if (!work) throw new Error(`There is no job ${job}.`)
acknowledge('ready')
for (let n = 0; n < Number(count); n++) await work(n)
