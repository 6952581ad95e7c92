// An agent that by a seeded choice succeeds, fails, hangs, crashes, reports twice, reports for its predecessor, or writes rubbish.
// usage: fickle.mjs <folder> <seed> <percent of slow last steps>

import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const [folder, seed, slowPercent] = process.argv.slice(2)
const env = process.env
const { NEXUS_PROJECT: project, NEXUS_ISSUE: issue, NEXUS_STEP: step, NEXUS_ATTEMPT: attempt } = env
const log = join(folder, 'agents.jsonl')
const tokens = join(folder, 'tokens')
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const earlier = (existsSync(log) ? readFileSync(log, 'utf8') : '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
  .filter((note) => note.word === 'START' && note.project === project && note.issue === issue)
const before = earlier.filter((note) => note.step === step)

const dice = (what, sides) => {
  const digest = createHash('sha256').update([seed, project, issue, step, before.length, what].join(' ')).digest()
  return digest.readUInt32BE(0) % sides
}

const shares = [
  ['file', 28],
  ['nameless', 6],
  ['post', 24],
  ['twice', 12],
  ['rubbish first', 6],
  ['rubbish', 6],
  ['fail', 7],
  ['crash', 5],
  ['hang', 6],
]

const chosen = () => {
  if (step === 'review' && dice('slow', 100) < Number(slowPercent)) return 'slow'
  let at = dice('kind', 100)
  for (const [kind, share] of shares) {
    if (at < share) return kind
    at -= share
  }
  return 'file'
}

const kind = chosen()
const note = (word, more = {}) =>
  appendFileSync(
    log,
    `${JSON.stringify({ word, project, issue, step, attempt, kind, at: Date.now(), file: env.NEXUS_COMPLETION_FILE, ...more })}\n`,
  )

note('START')
mkdirSync(tokens, { recursive: true })
writeFileSync(join(tokens, attempt), env.NEXUS_COMPLETION_TOKEN)
const prompt = readFileSync(0, 'utf8')

const roles = { triage: 'triage', develop: 'developer', review: 'reviewer' }
const reportOf = (of, more = {}) =>
  JSON.stringify({
    issue_number: issue,
    agent_type: roles[of.step],
    status: 'complete',
    summary: `${of.step} of ${issue} in ${of.attempt} after ${prompt.length} characters`,
    step_id: of.step,
    attempt_id: of.attempt,
    ...more,
  })

const toFile = async (text) => {
  mkdirSync(dirname(env.NEXUS_COMPLETION_FILE), { recursive: true })
  writeFileSync(env.NEXUS_COMPLETION_FILE, text)
}

const post = async (text, token) => {
  try {
    const answer = await fetch(env.NEXUS_COMPLETION_URL, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: text,
      signal: AbortSignal.timeout(3_000),
    })
    return answer.status === 201
  } catch {
    return false
  }
}

const toHost = async (text) => {
  for (let tries = 0; tries < 4; tries += 1) {
    if (await post(text, env.NEXUS_COMPLETION_TOKEN)) return
    await pause(100)
  }
  await toFile(text)
}

/** What an earlier run, of this step or another, says once more or at last: by the token it had, else in the file. */
const late = async (of) => {
  note('LATE', { of: of.attempt })
  const token = readFileSync(join(tokens, of.attempt), 'utf8')
  const text = reportOf(of, { summary: `late, of ${of.attempt}` })
  if (dice('late', 2) === 0 && (await post(text, token))) return
  await toFile(text)
  await pause(30)
}

const rubbish = ['{"status": "comp', '\0\0\0', '\ufeff[]', '"\ud800', '{"summary": 1e999}', 'x'.repeat(2_000_000)]
const own = reportOf({ step, attempt })

const acts = {
  file: () => toFile(own),
  nameless: () => toFile(JSON.stringify({ ...JSON.parse(own), attempt_id: undefined })),
  post: () => toHost(own),
  async twice() {
    await toHost(own)
    await toHost(own)
    await toFile(own)
  },
  async 'rubbish first'() {
    await toFile(rubbish[dice('rubbish', rubbish.length)])
    await pause(40)
    await toFile(own)
  },
  rubbish: () => toFile(rubbish[dice('rubbish', rubbish.length)]),
  fail: () => process.exit(3),
  crash: () => process.kill(process.pid, 'SIGKILL'),
  hang() {
    if (dice('deaf', 2) === 0) process.on('SIGTERM', () => {})
    return new Promise(() => setInterval(() => {}, 1_000))
  },
  async slow() {
    await pause(12_000)
    await toHost(own)
  },
}

await pause(20 + dice('work', 120))
const predecessor = before.at(-1) ?? (dice('again', 8) === 0 ? earlier.at(-1) : undefined)
if (predecessor) await late(predecessor)
await acts[kind]()
note('END')
