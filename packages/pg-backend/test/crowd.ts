/** Rows as other programs and we leave them, in the distributions that are hardest to read. */

export interface CrowdSize {
  /** Completions, a quarter of them of one issue. */
  completions: number
  /** Inbox rows of each kind. */
  tasks: number
  /** Projects with one pending task each. */
  projects: number
  workflows: number
  taskFiles: number
}

export const crowded = { issue: '7', project: 'p1', tenants: 20 }

const series = (count: number): string => `FROM generate_series(1, ${count}) AS n`
const project = `'p' || n % ${crowded.tenants}`

const completionsSql = ({ completions }: CrowdSize): string => `
  INSERT INTO nexus_completions (project, issue_number, agent_type, status, summary_text, data, dedup_key, identity_key, created_at)
  SELECT CASE WHEN n % 11 = 0 THEN NULL ELSE ${project} END, (1000 + n / 200)::text, 'agent' || n / 20 % 10, 'complete', 's', '{}',
    'k' || n, CASE WHEN n % 11 > 0 THEN 'i' || n END, now() - n * interval '1 second'
  ${series(Math.ceil((completions * 3) / 4))};
  INSERT INTO nexus_completions (project, issue_number, agent_type, status, summary_text, data, dedup_key, identity_key)
  SELECT '${crowded.project}', '${crowded.issue}', 'a' || n, 'complete', 's', '{}', 'h' || n,
    encode(sha256(convert_to(ROW('${crowded.project}', '${crowded.issue}', 'a' || n, 'complete')::text, 'UTF8')), 'hex')
  ${series(Math.floor(completions / 4))};`

/**
 * Tasks that wait with the highest priority before one that is due, ten times as many that are over, some in processing, a long queue
 * of one project, one name in many projects, and many of one name with keys of their own.
 */
const tasksSql = ({ tasks, projects }: CrowdSize): string => `
  INSERT INTO nexus_inbox_queue (project_key, filename, status) SELECT ${project}, n || '.md', 'done' ${series(tasks * 10)};
  INSERT INTO nexus_inbox_queue (project_key, filename, status) SELECT ${project}, n || '.md', 'failed' ${series(tasks)};
  INSERT INTO nexus_inbox_queue (project_key, workspace, filename, status, priority, run_at)
  SELECT 'later', '', n || '.md', 'pending', n % 5 + 1, now() + interval '1 day' ${series(tasks)};
  INSERT INTO nexus_inbox_queue (project_key, filename, priority) VALUES ('later', 'due.md', -1);
  INSERT INTO nexus_inbox_queue (project_key, filename) SELECT 'long', n || '.md' ${series(tasks)};
  INSERT INTO nexus_inbox_queue (project_key, filename, idem_key) SELECT 'twins', 'same.md', 'twin ' || n ${series(tasks)};
  INSERT INTO nexus_inbox_queue (project_key, filename) SELECT 'tenant ' || n, 'same.md' ${series(projects)};
  INSERT INTO nexus_inbox_queue (project_key, filename, status, claim_epoch, claimed_by, lease_ms, lease_expires_at)
  SELECT 'busy', 'held' || n || '.md', 'processing', 1, 'w', 60000, now() + interval '1 hour' ${series(5)};
  INSERT INTO nexus_inbox_queue (project_key, filename) SELECT 'busy', n || '.md' ${series(tasks)};`

const filesSql = ({ workflows, taskFiles }: CrowdSize): string => `
  INSERT INTO nexus_workflows (id, name, state, data, project, issue_number, created_at)
  SELECT ${project} || '-' || n || '-full', 'w', CASE WHEN n % 500 = 0 THEN 'running' ELSE 'completed' END,
    '{"project": "p' || n % ${crowded.tenants} || '"}', ${project}, n::text, now() - n * interval '1 second'
  ${series(workflows)};
  INSERT INTO nexus_task_files (project, issue_number, filename, content, state, created_at)
  SELECT 'tenant ' || n, '1', 'same.md', 'text', 'active', now() - n * interval '1 second' ${series(Math.floor(taskFiles / 2))};
  INSERT INTO nexus_task_files (project, issue_number, filename, content, state, created_at)
  SELECT '${crowded.project}', n::text, n || '.md', 'text', CASE WHEN n % 500 = 0 THEN 'active' ELSE 'closed' END,
    now() - n * interval '1 second'
  ${series(Math.ceil(taskFiles / 2))};`

const hostStateSql = `INSERT INTO nexus_host_state (key, data) SELECT 'k' || n, '{}' ${series(2000)};`

/** Half of the ids are old enough to go. */
const outageSql = `
  INSERT INTO nexus_applied (id, answer, applied_at) SELECT 'o' || n, '{}', now() - n * interval '1 hour' ${series(1600)};
  INSERT INTO nexus_conflicts (id, store, key, reason, at)
  SELECT 'o' || n || '-1', 'hostState', 'k' || n, 'why', now() - n * interval '1 second' ${series(2000)};`

export const crowdSql = (size: CrowdSize): string =>
  completionsSql(size) + tasksSql(size) + filesSql(size) + hostStateSql + outageSql
