// An agent as they are in the field: reads its prompt, works a little, reports by file (in place, in two halves) or by POST.
// usage: agent.mjs file|post|either <log>
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

const [how, log] = process.argv.slice(2)
const env = process.env
const issue = env.NEXUS_ISSUE
const note = (word) =>
  appendFileSync(log, `${[word, env.NEXUS_PROJECT, issue, env.NEXUS_STEP, env.NEXUS_ATTEMPT, process.pid].join(' ')}\n`)

note('START')
const prompt = readFileSync(0, 'utf8')
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
await pause(60 + Math.random() * 120)

const report = JSON.stringify({
  issue_number: issue,
  agent_type: env.NEXUS_AGENT,
  status: 'complete',
  summary: `${env.NEXUS_STEP} of ${issue} after ${prompt.length} characters`,
  key_findings: ['grüße', '漢字', '🚀'],
  attempt_id: env.NEXUS_ATTEMPT,
})

const byFile = async () => {
  mkdirSync(dirname(env.NEXUS_COMPLETION_FILE), { recursive: true })
  const file = openSync(env.NEXUS_COMPLETION_FILE, 'w')
  writeSync(file, report.slice(0, 40))
  await pause(20)
  writeSync(file, report.slice(40))
  closeSync(file)
}

const byPost = async () => {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    try {
      const answer = await fetch(env.NEXUS_COMPLETION_URL, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${env.NEXUS_COMPLETION_TOKEN}` },
        body: report,
      })
      if (answer.status === 201) return
      // Whatever listens where a host was: only a 201 is an answer, and the file waits for the next host.
      if (answer.status < 500) {
        note(`REFUSED ${answer.status}`)
        break
      }
    } catch {}
    await pause(100)
  }
  await byFile()
}

const post = how === 'post' || (how === 'either' && Number(issue) % 2 === 0)
await (post ? byPost() : byFile())
note('END')
