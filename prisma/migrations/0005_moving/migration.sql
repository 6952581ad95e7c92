-- What moves between backends is written as it was: with the times, order and holds it has, past the triggers that speak for
-- programs which do not know our columns. Who moves says so with SET LOCAL nexus.mover = 'on', for his transaction alone.

-- The id that a task has for its callers where that is none of ours; a null says that it is the number itself.
ALTER TABLE nexus_inbox_queue ADD COLUMN IF NOT EXISTS origin text;
CREATE UNIQUE INDEX IF NOT EXISTS nexus_inbox_queue_origin ON nexus_inbox_queue (origin) WHERE origin IS NOT NULL;

CREATE OR REPLACE TRIGGER nexus_workflows_stamp BEFORE UPDATE ON nexus_workflows
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_workflows_stamp();
CREATE OR REPLACE TRIGGER nexus_completions_news BEFORE INSERT OR UPDATE ON nexus_completions
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_completions_news();
CREATE OR REPLACE TRIGGER nexus_host_state_stamp BEFORE UPDATE ON nexus_host_state
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_host_state_stamp();
CREATE OR REPLACE TRIGGER nexus_task_files_stamp BEFORE UPDATE ON nexus_task_files
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_task_files_stamp();
CREATE OR REPLACE TRIGGER nexus_inbox_queue_status BEFORE UPDATE OF status ON nexus_inbox_queue
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_inbox_queue_status();
CREATE OR REPLACE TRIGGER nexus_inbox_queue_rename
  BEFORE UPDATE OF project_key, workspace, filename ON nexus_inbox_queue
  FOR EACH ROW WHEN (current_setting('nexus.mover', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION nexus_inbox_queue_rename();

-- Ours alone: stores that have moved away from here.
CREATE TABLE IF NOT EXISTS nexus_moved (
  store text PRIMARY KEY,
  moved_to text NOT NULL,
  at timestamptz NOT NULL
);

-- Put on a table when its store moves: putting it there waits for every write under way, and each later one meets it. So a table
-- whose store is at home pays nothing for it.
CREATE OR REPLACE FUNCTION nexus_moved_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mark nexus_moved;
BEGIN
  SELECT * INTO mark FROM nexus_moved WHERE store = TG_ARGV[0];
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'NX001',
      MESSAGE = format('the store %s moved to %s: nothing is written to %s any more', mark.store, mark.moved_to, TG_TABLE_NAME),
      DETAIL = json_build_object('store', mark.store, 'to', mark.moved_to, 'at', mark.at);
  END IF;
  RETURN NULL;
END
$$;

-- Moves a sequence on so that it gives no number up to this one, whoever else uses it at the time. The leap is longer than what
-- others can take between the look and the step: a number that is set must not fall behind one that was just given.
CREATE OR REPLACE FUNCTION nexus_pass_over(sequence regclass, number bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  last bigint;
BEGIN
  -- Of two who set it at once the later could move it back: they take turns, until the end of what they do.
  PERFORM pg_advisory_xact_lock('nexus_moved'::regclass::oid::integer, sequence::oid::integer);
  EXECUTE format('SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM %s', sequence) INTO last;
  IF number > last THEN
    PERFORM setval(sequence, number + 10000);
  END IF;
END
$$;
