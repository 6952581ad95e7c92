import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { recordAgent, spawnAgent } from './runner/agent-process.ts'
import { createOnce } from './runner/durable-file.ts'
import { endRun } from './runner/end-run.ts'
import { touch } from './runner/file-watch.ts'
import { rotateOutput } from './runner/output-log.ts'
import { currentProcess } from './runner/process-identity.ts'
import { type RunFolder, runFolderAt } from './runner/run-folder.ts'
import { type RunExit, type RunSpec, readSpec, recordExit, recordText, takeEnvironment } from './runner/run-records.ts'
import { createEndRequests, type EndRequests, watchRun } from './runner/run-watch.ts'

type Ending = Omit<RunExit, 'endedAt'>

const NO_STATUS = { code: null, signal: null } as const

async function runAgent(paths: RunFolder, spec: RunSpec, requests: EndRequests): Promise<Ending> {
  if (existsSync(paths.stop))
    return { ...NO_STATUS, reason: 'stopped', message: 'stopped before the agent was started' }
  const agent = await spawnAgent(paths, spec, await takeEnvironment(paths))
  if (agent.status === 'failed') return { ...NO_STATUS, reason: 'spawn-failed', message: agent.message }
  try {
    recordAgent(paths, agent.pid)
  } catch (error) {
    await endRun(paths, agent.pid, spec)
    throw error
  }
  touch(paths.folder)
  const unwatch = watchRun(paths, spec, requests.ask)
  const request = await Promise.race([agent.exited.then(() => ({ reason: 'exited' as const })), requests.first])
  unwatch()
  // Also after the agent's own end: what it left running must not meet the next step in the same working folder.
  const ended = await endRun(paths, agent.pid, spec)
  rotateOutput(paths, spec.outputBytes)
  if (!ended) return { ...NO_STATUS, reason: request.reason, message: `processes of the run cannot be ended` }
  return { ...(await agent.exited), ...request }
}

/** What one run at a time is asked to end by; null between two runs. */
interface Present {
  requests: EndRequests | null
}

/** False where another supervisor has this run. */
async function supervise(paths: RunFolder, present: Present): Promise<boolean> {
  const spec = await readSpec(paths.spec)
  if (!spec) throw new Error(`no run specification in ${paths.folder}`)
  const requests = createEndRequests()
  present.requests = requests
  // Durable before the agent exists: whatever happens from here on, nobody starts this attempt again.
  const first = await createOnce(
    paths.started,
    recordText({ ...currentProcess(), startedAt: new Date().toISOString() }),
  )
  if (!first) return false
  const ending = await runAgent(paths, spec, requests).catch(
    (error: unknown): Ending => ({ ...NO_STATUS, reason: 'supervisor-lost', message: String(error) }),
  )
  await recordExit(paths, { ...ending, endedAt: new Date().toISOString() })
  present.requests = null
  return true
}

/** How long a supervisor without a run waits for its host to give it the next. */
const restMs = 2_000

async function main(first: string): Promise<void> {
  const present: Present = { requests: null }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!present.requests) process.exit(0)
      present.requests.ask({ reason: 'stopped', message: `the supervisor received ${signal}` })
    })
  }
  if (!(await supervise(runFolderAt(first, basename(first)), present))) return
  // The folders of further runs, until the host is gone or gives none for so long.
  const further = createInterface(process.stdin)
  let rest = setTimeout(() => further.close(), restMs)
  for await (const folder of further) {
    clearTimeout(rest)
    process.chdir(folder)
    if (!(await supervise(runFolderAt(folder, basename(folder)), present))) return
    rest = setTimeout(() => further.close(), restMs)
  }
}

await main(resolve(process.argv[2] ?? '.'))
process.exit(0)
