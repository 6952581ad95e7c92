import type { ForeignProgram } from '@nexus/testkit'
import type pg from 'pg'

/** A program that knows the documented columns and nothing else. */
export const createForeignSql = (pool: pg.Pool): ForeignProgram => {
  const write = async (text: string, values: unknown[]): Promise<void> => {
    await pool.query(text, values)
  }
  const read = async (text: string, key: string): Promise<string> => {
    const { rows } = await pool.query<{ data: string }>(text, [key])
    if (!rows[0]) throw new Error(`There is no row ${key}.`)
    return rows[0].data
  }
  return {
    insertWorkflow: ({ id, name, state, currentStep, data }) =>
      write(
        'INSERT INTO nexus_workflows (id, name, state, current_step, data, created_at) VALUES ($1, $2, $3, $4, $5, now())',
        [id, name, state, currentStep, data],
      ),
    setWorkflowState: (id, state) => write('UPDATE nexus_workflows SET state = $2 WHERE id = $1', [id, state]),
    writeWorkflowText: (id, text) => write('UPDATE nexus_workflows SET data = $2 WHERE id = $1', [id, text]),
    workflowText: (id) => read('SELECT data FROM nexus_workflows WHERE id = $1', id),

    insertCompletion: ({ issueNumber, agentType, status, summary, data }) =>
      write(
        `INSERT INTO nexus_completions (issue_number, agent_type, status, summary_text, data, dedup_key, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, now())`,
        [issueNumber, agentType, status, summary, data, `${issueNumber}:${agentType}:${status}`],
      ),

    insertHostState: (key, text) =>
      write('INSERT INTO nexus_host_state (key, data, updated_at) VALUES ($1, $2, now())', [key, text]),
    writeHostStateText: (key, text) =>
      write('UPDATE nexus_host_state SET data = $2, updated_at = now() WHERE key = $1', [key, text]),
    hostStateText: (key) => read('SELECT data FROM nexus_host_state WHERE key = $1', key),

    insertTaskFile: ({ project, filename, content, state, issueNumber }) =>
      write(
        `INSERT INTO nexus_task_files (project, issue_number, filename, content, state, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, now(), now())`,
        [project, issueNumber, filename, content, state],
      ),
    writeTaskFileContent: (project, filename, content) =>
      write('UPDATE nexus_task_files SET content = $3, updated_at = now() WHERE project = $1 AND filename = $2', [
        project,
        filename,
        content,
      ]),

    insertInboxTask: ({ project, filename, markdown }) =>
      write(
        `INSERT INTO nexus_inbox_queue (project_key, workspace, filename, markdown_content, status)
         VALUES ($1, '', $2, $3, 'pending')`,
        [project, filename, markdown],
      ),
    writeInboxMarkdown: ({ project, filename, markdown }) =>
      write(
        `UPDATE nexus_inbox_queue SET markdown_content = $3
         WHERE project_key = $1 AND filename = $2 AND status = 'pending'`,
        [project, filename, markdown],
      ),
    setInboxStatus: (id, status) =>
      write('UPDATE nexus_inbox_queue SET status = $2 WHERE id = $1::integer', [id, status]),
  }
}
