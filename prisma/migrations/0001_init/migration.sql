-- The five documented tables. They may exist already, made by an earlier program: then its columns, types and rows stay as they
-- are, and only what is missing is added. New columns are nullable or defaulted, so that programs which know only the documented
-- columns go on working, and defaults are set where such a program may leave a column out.

CREATE TABLE IF NOT EXISTS nexus_workflows (
  id text PRIMARY KEY,
  name text,
  state text NOT NULL,
  current_step integer NOT NULL,
  data text NOT NULL,
  created_at timestamptz NOT NULL
);
ALTER TABLE nexus_workflows
  ADD COLUMN IF NOT EXISTS name text,
  ADD COLUMN IF NOT EXISTS project text,
  ADD COLUMN IF NOT EXISTS issue_number text,
  ADD COLUMN IF NOT EXISTS updated_at timestamptz,
  ALTER COLUMN state SET DEFAULT 'pending',
  ALTER COLUMN current_step SET DEFAULT 0,
  ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP,
  ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;

CREATE TABLE IF NOT EXISTS nexus_completions (
  id serial PRIMARY KEY,
  issue_number text NOT NULL,
  agent_type text NOT NULL,
  status text NOT NULL,
  summary_text text NOT NULL,
  data text NOT NULL,
  dedup_key text NOT NULL,
  created_at timestamptz NOT NULL
);
ALTER TABLE nexus_completions
  ADD COLUMN IF NOT EXISTS project text,
  ADD COLUMN IF NOT EXISTS report_id text,
  ADD COLUMN IF NOT EXISTS seq bigint,
  ADD COLUMN IF NOT EXISTS updated_at timestamptz,
  ALTER COLUMN status SET DEFAULT 'complete',
  ALTER COLUMN summary_text SET DEFAULT '',
  ALTER COLUMN data SET DEFAULT '{}',
  ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP,
  ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;
-- Order of saving. No default on the column: rows that are older than it keep null, which sorts last.
CREATE SEQUENCE IF NOT EXISTS nexus_completions_order OWNED BY nexus_completions.seq;

CREATE TABLE IF NOT EXISTS nexus_host_state (
  key text PRIMARY KEY,
  data text NOT NULL,
  updated_at timestamptz NOT NULL
);
ALTER TABLE nexus_host_state
  ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;

CREATE TABLE IF NOT EXISTS nexus_task_files (
  id serial PRIMARY KEY,
  project text NOT NULL,
  issue_number text,
  filename text NOT NULL,
  content text NOT NULL,
  state text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
ALTER TABLE nexus_task_files
  ADD COLUMN IF NOT EXISTS identity_key text,
  ALTER COLUMN content SET DEFAULT '',
  ALTER COLUMN state SET DEFAULT 'active',
  ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP,
  ALTER COLUMN updated_at SET DEFAULT CURRENT_TIMESTAMP;

CREATE TABLE IF NOT EXISTS nexus_inbox_queue (
  id serial PRIMARY KEY,
  project_key text NOT NULL,
  workspace text NOT NULL,
  filename text NOT NULL,
  markdown_content text NOT NULL,
  status text NOT NULL
);
ALTER TABLE nexus_inbox_queue
  ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS run_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  ADD COLUMN IF NOT EXISTS issue_number text,
  ADD COLUMN IF NOT EXISTS live_key text,
  ADD COLUMN IF NOT EXISTS idem_key text,
  ADD COLUMN IF NOT EXISTS running_key text,
  ADD COLUMN IF NOT EXISTS hold_key text,
  ADD COLUMN IF NOT EXISTS attempts integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS recoveries integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS max_attempts integer NOT NULL DEFAULT 3,
  ADD COLUMN IF NOT EXISTS claim_epoch integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS claimed_by text,
  ADD COLUMN IF NOT EXISTS claimed_at timestamptz,
  ADD COLUMN IF NOT EXISTS lease_expires_at timestamptz,
  ADD COLUMN IF NOT EXISTS lease_ms double precision,
  ADD COLUMN IF NOT EXISTS heartbeats integer NOT NULL DEFAULT 0,
  ADD COLUMN IF NOT EXISTS cancel_requested boolean NOT NULL DEFAULT false,
  ADD COLUMN IF NOT EXISTS error text,
  ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
  ADD COLUMN IF NOT EXISTS processed_at timestamptz,
  ALTER COLUMN workspace SET DEFAULT '',
  ALTER COLUMN markdown_content SET DEFAULT '',
  ALTER COLUMN status SET DEFAULT 'pending',
  ALTER COLUMN created_at SET DEFAULT CURRENT_TIMESTAMP;
-- Every task is updated a few times in its life: room on the page, and vacuum by count rather than by share of a long history.
ALTER TABLE nexus_inbox_queue SET (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 1000
);

-- Ours alone: copies of unreadable data that a save or an operator replaced.
CREATE TABLE IF NOT EXISTS nexus_quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  store text NOT NULL,
  key text NOT NULL,
  data text,
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- True only for what every program of ours can read as a document; false sends the store to look at the text itself. So it may refuse
-- too much: very long numbers, large exponents, and more brackets than the depth that is allowed.
CREATE OR REPLACE FUNCTION nexus_is_readable(value text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM value::json;
  RETURN value !~ '[eE][+]?[0-9]{3}|[0-9]{250}'
    AND octet_length(value) - octet_length(replace(replace(value, '[', ''), '{', '')) <= 512;
EXCEPTION WHEN others THEN
  RETURN false;
END
$$;

CREATE INDEX IF NOT EXISTS nexus_workflows_newest ON nexus_workflows (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_workflows_state ON nexus_workflows (state, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_workflows_project ON nexus_workflows (project, created_at DESC, id DESC);

-- An earlier program may have made this one under another name.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = 'nexus_completions'::regclass AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL
      AND a.attname = 'dedup_key'
  ) THEN
    CREATE UNIQUE INDEX nexus_completions_dedup_key_key ON nexus_completions (dedup_key);
  END IF;
END
$$;
CREATE INDEX IF NOT EXISTS nexus_completions_newest ON nexus_completions
  (seq DESC NULLS LAST, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_completions_issue ON nexus_completions
  (issue_number, project, seq DESC NULLS LAST, created_at DESC, id DESC);

CREATE UNIQUE INDEX IF NOT EXISTS nexus_task_files_identity ON nexus_task_files (identity_key)
  WHERE identity_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS nexus_task_files_project ON nexus_task_files (project, state, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_task_files_state ON nexus_task_files (state, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_task_files_newest ON nexus_task_files (created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_task_files_issue ON nexus_task_files (issue_number);
-- Hash indexes: a filename of any length that another program writes must fit.
CREATE INDEX IF NOT EXISTS nexus_task_files_filename ON nexus_task_files USING hash (filename);

CREATE INDEX IF NOT EXISTS nexus_inbox_queue_pending ON nexus_inbox_queue (project_key, priority DESC, run_at, id)
  WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS nexus_inbox_queue_processing ON nexus_inbox_queue (project_key, id)
  WHERE status = 'processing';
CREATE INDEX IF NOT EXISTS nexus_inbox_queue_failed ON nexus_inbox_queue (id) WHERE status = 'failed';
CREATE INDEX IF NOT EXISTS nexus_inbox_queue_live_name ON nexus_inbox_queue USING hash (filename)
  WHERE status IN ('pending', 'processing');
CREATE UNIQUE INDEX IF NOT EXISTS nexus_inbox_queue_live_key ON nexus_inbox_queue (live_key)
  WHERE live_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS nexus_inbox_queue_idem_key ON nexus_inbox_queue (idem_key)
  WHERE idem_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS nexus_inbox_queue_running_key ON nexus_inbox_queue (running_key)
  WHERE running_key IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS nexus_inbox_queue_hold_key ON nexus_inbox_queue (hold_key)
  WHERE hold_key IS NOT NULL;

-- Triggers speak for writers that do not know our columns. Our own statements set those columns themselves, and a trigger that
-- sees them changed leaves them alone.

CREATE OR REPLACE FUNCTION nexus_workflows_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
    AND (NEW.id, NEW.name, NEW.state, NEW.current_step, NEW.data, NEW.created_at)
      IS DISTINCT FROM (OLD.id, OLD.name, OLD.state, OLD.current_step, OLD.data, OLD.created_at)
  THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_workflows_stamp BEFORE UPDATE ON nexus_workflows
  FOR EACH ROW EXECUTE FUNCTION nexus_workflows_stamp();

CREATE OR REPLACE FUNCTION nexus_completions_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.seq := coalesce(NEW.seq, nextval('nexus_completions_order'));
    RETURN NEW;
  END IF;
  IF NEW.seq IS NOT DISTINCT FROM OLD.seq
    AND (NEW.issue_number, NEW.agent_type, NEW.status, NEW.summary_text, NEW.data, NEW.dedup_key)
      IS DISTINCT FROM (OLD.issue_number, OLD.agent_type, OLD.status, OLD.summary_text, OLD.data, OLD.dedup_key)
  THEN
    -- Another program's words are news, and no run of an agent that we know said them.
    NEW.seq := nextval('nexus_completions_order');
    NEW.report_id := NULL;
  END IF;
  IF NEW.seq IS DISTINCT FROM OLD.seq AND NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_completions_news BEFORE INSERT OR UPDATE ON nexus_completions
  FOR EACH ROW EXECUTE FUNCTION nexus_completions_news();

CREATE OR REPLACE FUNCTION nexus_host_state_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at AND (NEW.key, NEW.data) IS DISTINCT FROM (OLD.key, OLD.data) THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_host_state_stamp BEFORE UPDATE ON nexus_host_state
  FOR EACH ROW EXECUTE FUNCTION nexus_host_state_stamp();

CREATE OR REPLACE FUNCTION nexus_task_files_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.identity_key IS NOT DISTINCT FROM OLD.identity_key
    AND (NEW.project, NEW.filename) IS DISTINCT FROM (OLD.project, OLD.filename)
  THEN
    -- Another program gave it another name: the former one is free again.
    NEW.identity_key := NULL;
  END IF;
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
    AND (NEW.project, NEW.issue_number, NEW.filename, NEW.content, NEW.state)
      IS DISTINCT FROM (OLD.project, OLD.issue_number, OLD.filename, OLD.content, OLD.state)
  THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_task_files_stamp BEFORE UPDATE ON nexus_task_files
  FOR EACH ROW EXECUTE FUNCTION nexus_task_files_stamp();

CREATE OR REPLACE FUNCTION nexus_inbox_queue_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status IS NOT DISTINCT FROM OLD.status THEN
    RETURN NEW;
  END IF;
  IF NEW.status = 'processing' THEN
    IF NEW.claim_epoch = OLD.claim_epoch THEN
      -- Another program claimed it: fence former holders off, and never sweep a holder that does not renew.
      NEW.claim_epoch := OLD.claim_epoch + 1;
      NEW.claimed_by := NULL;
      NEW.claimed_at := clock_timestamp();
      NEW.lease_expires_at := NULL;
    END IF;
    NEW.processed_at := NULL;
    RETURN NEW;
  END IF;
  NEW.lease_expires_at := NULL;
  NEW.running_key := NULL;
  NEW.hold_key := NULL;
  IF NEW.status = 'pending' THEN
    NEW.claimed_by := NULL;
    NEW.claimed_at := NULL;
    NEW.processed_at := NULL;
  ELSE
    -- claimed_by and the epoch stay: a holder whose answer was lost asks again and finds its own work done.
    NEW.live_key := NULL;
    IF NEW.processed_at IS NOT DISTINCT FROM OLD.processed_at THEN
      NEW.processed_at := clock_timestamp();
    END IF;
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_inbox_queue_status BEFORE UPDATE OF status ON nexus_inbox_queue
  FOR EACH ROW EXECUTE FUNCTION nexus_inbox_queue_status();

CREATE OR REPLACE FUNCTION nexus_inbox_queue_rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.project_key, NEW.workspace, NEW.filename) IS DISTINCT FROM (OLD.project_key, OLD.workspace, OLD.filename) THEN
    IF NEW.live_key IS NOT DISTINCT FROM OLD.live_key THEN
      NEW.live_key := NULL;
    END IF;
    IF NEW.hold_key IS NOT DISTINCT FROM OLD.hold_key THEN
      NEW.hold_key := NULL;
    END IF;
    IF NEW.running_key IS NOT DISTINCT FROM OLD.running_key AND NEW.project_key IS DISTINCT FROM OLD.project_key THEN
      NEW.running_key := NULL;
    END IF;
  END IF;
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER nexus_inbox_queue_rename
  BEFORE UPDATE OF project_key, workspace, filename ON nexus_inbox_queue
  FOR EACH ROW EXECUTE FUNCTION nexus_inbox_queue_rename();

-- Wakes hosts up for tasks of other programs. Ours have a live_key, and whoever enqueues them calls once for the whole batch.
CREATE OR REPLACE FUNCTION nexus_inbox_queue_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('nexus_inbox', left(project_key, 200))
    FROM (SELECT DISTINCT project_key FROM fresh WHERE live_key IS NULL AND status = 'pending') AS projects;
  RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER nexus_inbox_queue_wake AFTER INSERT ON nexus_inbox_queue
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION nexus_inbox_queue_wake();
