// Does what script.json in its folder says for its step, or issue/step, and pass: [{report members} | "crash" | "wait"]; then plain reports.
// Each start and end leaves a line in starts.log and ends.log. "wait" goes on when a file go.{step} is there.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const { NEXUS_ATTEMPT, NEXUS_PROJECT, NEXUS_ISSUE, NEXUS_STEP, NEXUS_AGENT, NEXUS_COMPLETION_FILE } = process.env
const line = `${NEXUS_ATTEMPT} ${NEXUS_PROJECT} ${NEXUS_ISSUE} ${NEXUS_STEP}\n`
const before = existsSync('starts.log') ? readFileSync('starts.log', 'utf8').split('\n') : []
const pass = before.filter((one) => one.endsWith(` ${NEXUS_ISSUE} ${NEXUS_STEP}`)).length
appendFileSync('starts.log', line)
readFileSync(0)
const script = existsSync('script.json') ? JSON.parse(readFileSync('script.json', 'utf8')) : {}
const all = script[`${NEXUS_ISSUE}/${NEXUS_STEP}`] ?? script[NEXUS_STEP]
const said = all?.[pass] ?? {}
if (said === 'crash') process.exit(1)
while (said === 'wait' && !existsSync(`go.${NEXUS_STEP}`)) await new Promise((resolve) => setTimeout(resolve, 20))
const report = {
  issue_number: NEXUS_ISSUE,
  agent_type: NEXUS_AGENT,
  summary: `${NEXUS_STEP}, pass ${pass}`,
  ...Object(said),
}
mkdirSync(dirname(NEXUS_COMPLETION_FILE), { recursive: true })
writeFileSync(NEXUS_COMPLETION_FILE, JSON.stringify(report))
appendFileSync('ends.log', line)
