/** Statements that make the tables as the earlier implementation did: lengths, no `name`, no default for any time. */
export const earlierWorkflows = `CREATE TABLE nexus_workflows (
  id varchar(128) NOT NULL PRIMARY KEY,
  state varchar(32) NOT NULL,
  definition_id varchar(128),
  current_step integer NOT NULL,
  data text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX ix_nexus_workflows_state ON nexus_workflows (state);
`

export const earlierCompletions = `CREATE TABLE nexus_completions (
  id serial PRIMARY KEY,
  issue_number varchar(32) NOT NULL,
  agent_type varchar(128) NOT NULL,
  status varchar(32) NOT NULL,
  summary_text text NOT NULL,
  data text NOT NULL,
  dedup_key varchar(256) NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT uq_completion_dedup UNIQUE (dedup_key)
);
CREATE INDEX ix_nexus_completions_issue_number ON nexus_completions (issue_number);
`

const earlierHostState = `CREATE TABLE nexus_host_state (
  key varchar(128) NOT NULL PRIMARY KEY,
  data text NOT NULL,
  updated_at timestamptz NOT NULL
);
`

const earlierTaskFiles = `CREATE TABLE nexus_task_files (
  id serial PRIMARY KEY,
  project varchar(64) NOT NULL,
  issue_number varchar(32),
  filename varchar(256) NOT NULL,
  content text NOT NULL,
  state varchar(16) NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX ix_nexus_task_files_project ON nexus_task_files (project);
`

/** The inbox with the six documented columns and nothing else. */
export const sixColumnQueue = `CREATE TABLE nexus_inbox_queue (
  id serial PRIMARY KEY,
  project_key varchar(64) NOT NULL,
  workspace varchar(256) NOT NULL,
  filename varchar(256) NOT NULL,
  markdown_content text NOT NULL,
  status varchar(32) NOT NULL
);
`

/** The inbox under its other name, with its additional columns. */
export const inboxTasks = `CREATE TABLE nexus_inbox_tasks (
  id serial PRIMARY KEY,
  project_key varchar(64) NOT NULL,
  workspace varchar(256) NOT NULL,
  filename varchar(256) NOT NULL,
  markdown_content text NOT NULL,
  status varchar(32) NOT NULL,
  created_at timestamptz NOT NULL,
  claimed_at timestamptz,
  processed_at timestamptz,
  claimed_by varchar(256),
  error text
);
CREATE INDEX ix_nexus_inbox_tasks_status ON nexus_inbox_tasks (status);
`

export const fourTables = earlierWorkflows + earlierCompletions + earlierHostState + earlierTaskFiles
