/** The tables as the earlier implementation made them: lengths, no `name`, and no default for any time. */
export const earlierTables = `
  CREATE TABLE nexus_workflows (
    id varchar(128) PRIMARY KEY,
    state varchar(32) NOT NULL,
    definition_id varchar(128),
    current_step integer NOT NULL,
    data text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  );
  CREATE TABLE nexus_completions (
    id serial PRIMARY KEY,
    issue_number varchar(32) NOT NULL,
    agent_type varchar(128) NOT NULL,
    status varchar(32) NOT NULL,
    summary_text text NOT NULL,
    data text NOT NULL,
    dedup_key varchar(256) NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
  );
  CREATE TABLE nexus_host_state (
    key varchar(128) PRIMARY KEY,
    data text NOT NULL,
    updated_at timestamptz NOT NULL
  );
  CREATE TABLE nexus_task_files (
    id serial PRIMARY KEY,
    project varchar(64) NOT NULL,
    issue_number varchar(32),
    filename varchar(256) NOT NULL,
    content text NOT NULL,
    state varchar(16) NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  );
`
