-- Every list, look and claim has an index in its own order, so that none reads more rows because the tables have more.

-- How often we saved it: a document that changes without it was written by another program, and the columns that only our
-- saves write say nothing about that document.
ALTER TABLE nexus_workflows ADD COLUMN IF NOT EXISTS saves integer NOT NULL DEFAULT 0;
CREATE INDEX IF NOT EXISTS nexus_workflows_project_state ON nexus_workflows (project, state, created_at DESC, id DESC);

CREATE OR REPLACE FUNCTION nexus_workflows_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.data IS DISTINCT FROM OLD.data AND NEW.saves = OLD.saves THEN
    IF NEW.project IS NOT DISTINCT FROM OLD.project THEN
      NEW.project := NULL;
    END IF;
    IF NEW.issue_number IS NOT DISTINCT FROM OLD.issue_number THEN
      NEW.issue_number := NULL;
    END IF;
  END IF;
  IF NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at
    AND (NEW.id, NEW.name, NEW.state, NEW.current_step, NEW.data, NEW.created_at)
      IS DISTINCT FROM (OLD.id, OLD.name, OLD.state, OLD.current_step, OLD.data, OLD.created_at)
  THEN
    NEW.updated_at := clock_timestamp();
  END IF;
  RETURN NEW;
END
$$;

-- Unique among the completions that have a project: a first save and an assignment that race for one identity cannot both
-- have it. Rows of other programs, and those that are older than this, have none: so it refuses nobody else anything.
ALTER TABLE nexus_completions ADD COLUMN IF NOT EXISTS identity_key text;
CREATE UNIQUE INDEX IF NOT EXISTS nexus_completions_identity ON nexus_completions (identity_key)
  WHERE identity_key IS NOT NULL;
-- Those that have a project and no key: older ones, and those whose identity another program changed. A hash, so that
-- names of any length fit.
CREATE INDEX IF NOT EXISTS nexus_completions_unkeyed ON nexus_completions
  (hashtextextended(status, hashtextextended(agent_type, hashtextextended(issue_number, hashtextextended(project, 0)))))
  WHERE identity_key IS NULL AND project IS NOT NULL;
CREATE INDEX IF NOT EXISTS nexus_completions_issue_newest ON nexus_completions
  (issue_number, seq DESC NULLS LAST, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_completions_project_newest ON nexus_completions
  (project, seq DESC NULLS LAST, created_at DESC, id DESC);

CREATE OR REPLACE FUNCTION nexus_completions_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.seq := coalesce(NEW.seq, nextval('nexus_completions_order'));
    RETURN NEW;
  END IF;
  IF NEW.identity_key IS NOT DISTINCT FROM OLD.identity_key
    AND (NEW.project, NEW.issue_number, NEW.agent_type, NEW.status)
      IS DISTINCT FROM (OLD.project, OLD.issue_number, OLD.agent_type, OLD.status)
  THEN
    NEW.identity_key := NULL;
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

CREATE INDEX IF NOT EXISTS nexus_task_files_project_newest ON nexus_task_files (project, created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_task_files_issue_newest ON nexus_task_files (issue_number, created_at DESC, id DESC);
-- Pairs as one value: so the statistics know how many files a pair has, and names of any length fit.
CREATE INDEX IF NOT EXISTS nexus_task_files_project_issue ON nexus_task_files
  (hashtextextended(issue_number, hashtextextended(project, 0)), created_at DESC, id DESC);
CREATE INDEX IF NOT EXISTS nexus_task_files_project_state ON nexus_task_files
  (hashtextextended(state, hashtextextended(project, 0)), created_at DESC, id DESC);
DROP INDEX IF EXISTS nexus_task_files_project;
DROP INDEX IF EXISTS nexus_task_files_issue;
-- By the whole name: one filename may stand in every project.
CREATE INDEX IF NOT EXISTS nexus_task_files_name ON nexus_task_files
  USING hash (hashtextextended(filename, hashtextextended(project, 0)));
DROP INDEX IF EXISTS nexus_task_files_filename;

CREATE INDEX IF NOT EXISTS nexus_inbox_queue_done ON nexus_inbox_queue (id) WHERE status = 'done';
-- The first live task without a key of each name. A hash, so that a name of any length fits.
CREATE INDEX IF NOT EXISTS nexus_inbox_queue_live ON nexus_inbox_queue
  (hashtextextended(filename, hashtextextended(workspace, hashtextextended(project_key, 0))), id)
  WHERE status IN ('pending', 'processing') AND idem_key IS NULL;
DROP INDEX IF EXISTS nexus_inbox_queue_live_name;
