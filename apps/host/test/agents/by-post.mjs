// Reports by POST, and by the file when the host is away. Each start leaves a line in starts.log.
// Arguments are members of the report: status=blocked next_agent=none summary='no credentials'
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const { NEXUS_ATTEMPT, NEXUS_PROJECT, NEXUS_ISSUE, NEXUS_STEP, NEXUS_AGENT } = process.env
appendFileSync('starts.log', `${NEXUS_ATTEMPT} ${NEXUS_PROJECT} ${NEXUS_ISSUE} ${NEXUS_STEP}\n`)
readFileSync(0)
const members = process.argv.slice(2).map((argument) => argument.split(/=(.*)/s).slice(0, 2))
const report = JSON.stringify({
  issue_number: Number(NEXUS_ISSUE),
  agent_type: `@${NEXUS_AGENT}`,
  summary: `${NEXUS_STEP} by post`,
  ...Object.fromEntries(members),
})
try {
  const answer = await fetch(process.env.NEXUS_COMPLETION_URL, {
    method: 'POST',
    headers: { Authorization: `Bearer ${process.env.NEXUS_COMPLETION_TOKEN}`, 'Content-Type': 'application/json' },
    body: report,
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
} catch (error) {
  process.stderr.write(`${error}\n`)
  mkdirSync(dirname(process.env.NEXUS_COMPLETION_FILE), { recursive: true })
  writeFileSync(process.env.NEXUS_COMPLETION_FILE, report)
}
