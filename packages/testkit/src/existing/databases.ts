import { type ExistingDatabase, type ExistingRow, row } from './database.ts'
import { launchedAgents, moment, summaryDocument, trackedIssues, workflowDocument, wrongSteps } from './documents.ts'
import { columnJson } from './earlier-json.ts'
import { completionRow, inboxRow, stateRow, taskFileRow, workflowRow } from './rows.ts'
import { earlierCompletions, earlierWorkflows, fourTables, inboxTasks, sixColumnQueue } from './tables.ts'

/** The documented tables, the inbox with six columns, every known state, the order of times not the order of ids. */
const documented: ExistingDatabase = {
  name: 'documented tables, inbox of six columns',
  tables: fourTables + sixColumnQueue,
  beside: '',
  foreign: [],
  rows: [
    ...['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'].map((state, index) =>
      workflowRow(`web-${index}-full`, state, 20 - 3 * index),
    ),
    completionRow({ id: 3, issue: '7', agent: 'triage', key: '7:triage:complete', day: 9 }),
    completionRow({ id: 8, issue: '7', agent: 'developer', key: '7:developer:complete', day: 4 }),
    completionRow({ id: 9, issue: '8', agent: 'reviewer', status: 'blocked', key: '8:reviewer:blocked', day: 2 }),
    stateRow('launched_agents', columnJson(launchedAgents())),
    stateRow('tracked_issues', columnJson(trackedIssues())),
    taskFileRow({ id: 4, project: 'web', filename: 'feature_7.md', state: 'active', issue: '7', day: 12 }),
    taskFileRow({ id: 5, project: 'web', filename: 'bug_2.md', state: 'closed', issue: '2', day: 3 }),
    taskFileRow({ id: 6, project: 'api-core', filename: 'satz.md', state: 'active', content: 'Ein Satz' }),
    inboxRow('inbox_queue', [2, 'web', 'task_1.md', 'done']),
    inboxRow('inbox_queue', [5, 'web', 'task_2.md', 'processing']),
    inboxRow('inbox_queue', [6, 'web', 'task_3.md', 'pending']),
    inboxRow('inbox_queue', [7, 'api-core', 'task_4.md', 'pending']),
  ],
}

const taskTimes = (day: number, more: ExistingRow['values'] = {}): ExistingRow['values'] => ({
  created_at: moment(day),
  claimed_at: null,
  processed_at: null,
  claimed_by: null,
  error: null,
  ...more,
})

/** The inbox only under its other name, with rows in each of its four states. */
const otherInbox: ExistingDatabase = {
  name: 'nexus_inbox_tasks instead of nexus_inbox_queue',
  tables: fourTables + inboxTasks,
  beside: '',
  foreign: [],
  rows: [
    workflowRow('web-42-full', 'running', 4),
    completionRow({ id: 1, issue: '42', agent: 'triage', key: '42:triage:complete', day: 4 }),
    stateRow('launched_agents', columnJson(launchedAgents())),
    taskFileRow({ id: 1, project: 'web', filename: 'feature_42.md', state: 'active', issue: '42' }),
    inboxRow('inbox_tasks', [3, 'web', 'task_3.md', 'pending'], taskTimes(9)),
    inboxRow('inbox_tasks', [4, 'web', 'task_4.md', 'pending'], taskTimes(2)),
    inboxRow(
      'inbox_tasks',
      [5, 'web', 'task_5.md', 'processing'],
      taskTimes(3, { claimed_at: moment(4), claimed_by: 'worker-größe:17' }),
    ),
    inboxRow(
      'inbox_tasks',
      [6, 'api', 'task_6.md', 'done'],
      taskTimes(5, { claimed_at: moment(6), processed_at: moment(7), claimed_by: 'worker-2' }),
    ),
    inboxRow(
      'inbox_tasks',
      [7, 'api', 'task_7.md', 'failed'],
      taskTimes(5, { claimed_at: moment(6), processed_at: moment(7), claimed_by: 'worker-2', error: 'Fehler: ✗' }),
    ),
  ],
}

/** One issue number in two projects, keys of four parts, records that our own rules would not have let in twice. */
const twoProjects: ExistingDatabase = {
  name: 'one issue number in two projects, keys of four parts, duplicates',
  tables: fourTables + sixColumnQueue,
  beside: '',
  foreign: [],
  rows: [
    workflowRow('web-42-full', 'running', 8),
    workflowRow('api-core-42-full', 'running', 3),
    workflowRow('WEB-42-full', 'paused', 3),
    completionRow({ id: 1, issue: '42', agent: 'developer', key: '42:web-42-full:1:developer', day: 9 }),
    completionRow({ id: 2, issue: '42', agent: 'developer', key: '42:api-core-42-full:1:developer', day: 7 }),
    completionRow({ id: 3, issue: '42', agent: 'developer', key: '42:web-42-full:2:developer', day: 7 }),
    completionRow({ id: 4, issue: '42', agent: 'developer', key: '42:developer:complete', day: 8 }),
    stateRow('launched_agents', columnJson(launchedAgents())),
    stateRow('tracked_issues', columnJson(trackedIssues())),
    stateRow('issue_workflow_mapping', columnJson({ '42': 'web-42-full' })),
    taskFileRow({ id: 1, project: 'web', filename: 'feature_42.md', state: 'active', issue: '42', day: 4 }),
    taskFileRow({ id: 2, project: 'web', filename: 'feature_42.md', state: 'active', issue: '42', day: 9 }),
    taskFileRow({ id: 3, project: 'web', filename: 'feature_42.md', state: 'closed', issue: '42', day: 2 }),
    taskFileRow({ id: 4, project: 'api-core', filename: 'feature_42.md', state: 'active', issue: '42', day: 1 }),
    inboxRow('inbox_queue', [1, 'web', 'task_1.md', 'processing']),
    inboxRow('inbox_queue', [2, 'web', 'task_1.md', 'pending']),
    inboxRow('inbox_queue', [3, 'web', 'task_2.md', 'pending']),
    inboxRow('inbox_queue', [4, 'web', 'task_2.md', 'pending']),
    inboxRow('inbox_queue', [5, 'api-core', 'task_1.md', 'pending']),
  ],
}

const brokenWorkflow = (id: string, data: string): ExistingRow =>
  row(
    'workflows',
    { id, state: 'running', definition_id: null, current_step: 0, data, created_at: moment(6), updated_at: moment(6) },
    { reads: false },
  )

const brokenCompletion = (id: number, data: string): ExistingRow => ({
  ...completionRow({ id, issue: '66', agent: `agent${id}`, key: `66:agent${id}:complete`, day: 9 }),
  reads: false,
  values: {
    ...completionRow({ id, issue: '66', agent: `agent${id}`, key: `66:agent${id}:complete`, day: 9 }).values,
    data,
  },
})

/** Everything known to be wrong in columns and documents, beside records that are sound. */
const damaged: ExistingDatabase = {
  name: 'documents that are no JSON, wrong types, unknown states and names',
  tables: fourTables + sixColumnQueue,
  beside: '',
  foreign: [],
  rows: [
    workflowRow('web-1-full', 'running', 3),
    workflowRow('web-2-full', 'archived', 4),
    workflowRow('web-3-full', 'running', 5, wrongSteps()),
    workflowRow('web-4-full', 'paused', 5, { state: 'running', current_step: 0, id: 'another' }),
    workflowRow('acme/web-5-full', 'running', 6, { note: 'NUL \u0000 and half a pair \ud83d' }),
    brokenWorkflow('web-6-full', 'not JSON'),
    brokenWorkflow('web-7-full', ''),
    brokenWorkflow('web-8-full', columnJson(workflowDocument('web-8-full', 'running')).slice(0, 700)),
    brokenWorkflow('web-9-full', '[1, 2]'),
    completionRow({
      id: 10,
      issue: '65',
      agent: '@developer',
      key: '65:@developer:complete',
      day: 9,
      document: summaryDocument(65, '@developer', {
        key_findings: 'not a list',
        step_num: '2',
        summary: 'NUL \u0000 and half a pair \udc00',
      }),
    }),
    completionRow({ id: 11, issue: '65', agent: 'qa', status: 'success', key: '65:qa:success', day: 2 }),
    brokenCompletion(12, '{"issue_number": "66", "agent_type": "agent12", "sum'),
    brokenCompletion(13, 'null'),
    brokenCompletion(14, ''),
    completionRow({ id: 15, issue: '66', agent: 'agent15', key: '66:agent15:complete', day: 1 }),
    stateRow('launched_agents', columnJson(launchedAgents())),
    stateRow('merge_queue', '["web#1", {"pr": 2}]'),
    stateRow('poll_offset', '17'),
    stateRow('flag', 'null'),
    stateRow('chat:-100123', '{"offset": 12345678901234567890, "a": 1, "a": 2}'),
    stateRow('completion_comments', '{"65": "https://', { reads: false }),
    stateRow('empty', '', { reads: false }),
    taskFileRow({ id: 1, project: 'web', filename: 'feature_1.md', state: 'active' }),
    taskFileRow({ id: 2, project: 'web', filename: 'ohne-endung', state: 'active', content: '' }),
    taskFileRow({ id: 3, project: 'acme/web', filename: 'a b:c.md', state: 'archived', content: '\ufeff# BOM\r\n' }),
    inboxRow('inbox_queue', [1, 'web', 'task_1.md', 'pending']),
    inboxRow('inbox_queue', [2, 'acme/web', 'x:y.txt', 'pending']),
    inboxRow('inbox_queue', [3, 'web', 'task_3.md', 'error']),
    inboxRow('inbox_queue', [4, 'web', '', 'processing'], { workspace: '', markdown_content: '' }),
  ],
}

const neighbours = `
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY);
INSERT INTO alembic_version VALUES ('8ae2f1');
CREATE TABLE nexus_audit_log (id serial PRIMARY KEY, workflow_id varchar(128) REFERENCES nexus_workflows (id), entry text);
INSERT INTO nexus_audit_log (workflow_id, entry) VALUES ('kept-1-full', 'created'), (NULL, 'größe');
CREATE VIEW nexus_open_workflows AS SELECT id, state FROM nexus_workflows WHERE state <> 'completed';
CREATE SCHEMA reports;
CREATE TABLE reports.nexus_host_state (key text, data text);
INSERT INTO reports.nexus_host_state VALUES ('launched_agents', 'somebody else');
`

/** Some of the tables only, both inboxes, tables and views of other programs that lean on ours. */
const shared: ExistingDatabase = {
  name: 'some tables only, both inboxes, other programs beside',
  tables: earlierWorkflows + earlierCompletions + sixColumnQueue + inboxTasks,
  beside: neighbours,
  foreign: [
    'alembic_version',
    'nexus_audit_log',
    'nexus_inbox_tasks',
    'nexus_open_workflows',
    'reports.nexus_host_state',
  ],
  rows: [
    workflowRow('kept-1-full', 'completed', 1),
    workflowRow('web-9-full', 'running', 4),
    workflowRow('web-10-full', 'running', 4),
    completionRow({ id: 2, issue: '9', agent: 'triage', key: '9:web-9-full:0:triage', day: 4 }),
    inboxRow('inbox_queue', [1, 'web', 'task_9.md', 'pending']),
    inboxRow('inbox_queue', [2, 'web', 'task_8.md', 'done']),
    inboxRow('inbox_tasks', [1, 'web', 'old.md', 'pending'], taskTimes(1)),
  ],
}

export const existingDatabases = { documented, otherInbox, twoProjects, damaged, shared } as const
