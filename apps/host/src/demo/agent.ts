import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

// The demonstration's agent: a program like any other. It reads its prompt, leaves something in its working folder, and
// reports the way real agents do: by the summary file, or by POST.

const variable = (name: string): string => process.env[`NEXUS_${name}`] ?? ''

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** The task's own words: what stands between the prompt's heading and the next. */
const taskIn = (prompt: string): string => {
  const [, after = ''] = prompt.split(/^## Task .*$/m)
  return (after.split(/^## /m)[0] ?? '').trim()
}

interface Work {
  summary: string
  findings: string[]
}

const work: Readonly<Record<string, (task: string) => Work>> = {
  triage(task) {
    writeFileSync('plan.md', `# Plan\n\n${task}\n\n1. Write it down.\n2. Have it looked at.\n`)
    return { summary: 'Planned in plan.md: one small change.', findings: [`The task has ${task.length} characters.`] }
  },
  developer(task) {
    const line = task.split('\n').find((text) => text.trim() !== '' && !/^(#|\*\*)/.test(text)) ?? task
    appendFileSync('result.txt', `${line}\n`)
    return { summary: 'Wrote result.txt as planned.', findings: ['result.txt holds the task in one line.'] }
  },
  reviewer() {
    const lines = existsSync('result.txt') ? readFileSync('result.txt', 'utf8').trimEnd().split('\n').length : 0
    return { summary: `Looked at result.txt (${lines} line${lines === 1 ? '' : 's'}): good.`, findings: [] }
  },
}

/** Written beside and renamed, so that nobody ever reads half of it. */
const reportByFile = (report: string): void => {
  const place = variable('COMPLETION_FILE')
  mkdirSync(dirname(place), { recursive: true })
  const temporary = join(dirname(place), `.${variable('ATTEMPT')}.tmp`)
  writeFileSync(temporary, report)
  renameSync(temporary, place)
  say(`reported by file: ${place}`)
}

/** `refused`: by the host, or by whatever else listens where one was. `away`: nobody answers now. */
const post = async (report: string): Promise<'stored' | 'refused' | 'away'> => {
  try {
    const answer = await fetch(variable('COMPLETION_URL'), {
      method: 'POST',
      headers: { Authorization: `Bearer ${variable('COMPLETION_TOKEN')}`, 'Content-Type': 'application/json' },
      body: report,
      signal: AbortSignal.timeout(5_000),
    })
    say(`POST: ${answer.status} ${await answer.text()}`)
    if (answer.status === 201) return 'stored'
    return answer.status < 500 ? 'refused' : 'away'
  } catch (error) {
    say(`POST: ${error instanceof Error ? error.message : String(error)}`)
    return 'away'
  }
}

/** The host may be away for a moment; the file waits for it however long it takes. */
const reportByPost = async (report: string): Promise<void> => {
  for (const pauseMs of [250, 1_000, 2_000, 0]) {
    const answer = await post(report)
    if (answer === 'stored') return
    if (answer === 'refused') break
    await delay(pauseMs)
  }
  reportByFile(report)
}

const agent = variable('AGENT')
const prompt = readFileSync(0, 'utf8')
say(`${agent}: read a prompt of ${prompt.length} characters`)
const { summary, findings } = (work[agent] ?? work['reviewer'] ?? (() => ({ summary: '', findings: [] })))(
  taskIn(prompt),
)
const report = JSON.stringify(
  {
    issue_number: variable('ISSUE'),
    agent_type: agent,
    status: 'complete',
    summary,
    key_findings: findings,
    step_id: variable('STEP'),
    workflow_id: variable('WORKFLOW'),
    attempt_id: variable('ATTEMPT'),
  },
  null,
  2,
)
if (agent === 'developer') await reportByPost(report)
else reportByFile(report)
