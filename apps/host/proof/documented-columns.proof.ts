import { once } from 'node:events'
import pg from 'pg'
import { expect, test } from 'vitest'
import { until } from '../test/until.ts'
import { createWorld, type World } from './world.ts'

/** Agents that start, say so, and never report: another program does it for them. */
const silentAgents = (log: string) => {
  const note = 'START $NEXUS_PROJECT $NEXUS_ISSUE $NEXUS_STEP $NEXUS_ATTEMPT'
  const silent = `{ command: "echo ${note} >> '${log}'; exec sleep 600" }`
  return { triage: silent, developer: silent, reviewer: silent }
}

/** A program that knows the five documented tables and nothing else. */
const openProgram = async (dsn: string) => {
  const client = new pg.Client({ connectionString: dsn })
  await client.connect()
  const sql = (text: string, values: unknown[] = []) => client.query(text, values)
  return {
    sql,
    one: async (text: string, values: unknown[] = []) => (await sql(text, values)).rows[0],
    async complete(issue: string, agent: string, status: string): Promise<void> {
      await sql(
        `INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, created_at)
         VALUES ($1, $2, $3, 'from SQL', '{}', $4, now())`,
        [issue, agent, status, `${issue}:${agent}:${status}`],
      )
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

const stepsStarted = async (world: World): Promise<string[]> => (await world.notes()).map(({ step }) => step)

const started = (world: World, step: string): Promise<boolean> =>
  until(`${step} starts`, async () => (await stepsStarted(world)).includes(step), 60_000)

test('[C-PG-3] a program that knows only the documented columns brings the task, reports for its agents, and pauses it', async () => {
  await using world = await createWorld({ NEXUS_STORAGE_BACKEND: 'postgres' }, { agents: silentAgents })
  {
    await using stores = await world.openStores()
    expect(await stores.health('inbox')).toEqual({ status: 'ok' })
  }
  await using program = await openProgram(world.database.dsn)
  await program.sql(
    `INSERT INTO nexus_inbox_queue (project_key, workspace, filename, markdown_content, status)
     VALUES ('alpha', '/elsewhere', 'from-sql.md', 'The cart forgets.', 'pending')`,
  )
  const host = world.startHost()
  const gone = once(host, 'exit')
  await started(world, 'triage')
  const issue = (await world.notes())[0]?.issue ?? ''

  await program.complete(issue, 'triage', 'in-progress')
  expect(await stepsStarted(world)).toEqual(['triage'])
  await program.sql(`UPDATE nexus_completions SET status = 'complete' WHERE issue_number = $1`, [issue])
  await started(world, 'develop')

  await program.sql(`UPDATE nexus_workflows SET state = 'paused'`)
  await program.complete(issue, 'developer', 'complete')
  const pid = await until('the host says which process the agent is', async () => {
    const { data } = await program.one(`SELECT data FROM nexus_host_state WHERE key = 'launched_agents'`)
    return Object.values<{ step_id: string; pid: number | null }>(JSON.parse(data)).find((a) => a.step_id === 'develop')
      ?.pid
  })
  process.kill(pid, 'SIGTERM')
  const inboxStatus = async (): Promise<string> => (await program.one('SELECT status FROM nexus_inbox_queue')).status
  await until('the paused task is given back', async () => (await inboxStatus()) === 'pending')
  expect(await stepsStarted(world)).toEqual(['triage', 'develop'])

  await program.sql(`UPDATE nexus_workflows SET state = 'running'`)
  await started(world, 'review')
  await program.complete('999', 'reviewer', 'complete')
  await program.sql(`UPDATE nexus_completions SET issue_number = $1 WHERE issue_number = '999'`, [issue])
  await until('the task is done', async () => (await inboxStatus()) === 'done')
  host.kill('SIGTERM')
  const [code] = await gone
  expect(code, host.said.join('')).toBe(0)

  expect(await stepsStarted(world)).toEqual(['triage', 'develop', 'review'])
  expect(await program.one('SELECT state, current_step FROM nexus_workflows')).toMatchObject({ state: 'completed' })
  expect(await program.one('SELECT state, content, issue_number FROM nexus_task_files')).toEqual({
    state: 'closed',
    content: 'The cart forgets.',
    issue_number: issue,
  })
})
