-- The first live task of each name among those that have no key of ours: other programs made or renamed them. The live key of
-- a task of ours names it already, so that ours pay nothing for this index at enqueue and claim.
CREATE INDEX IF NOT EXISTS nexus_inbox_queue_unkeyed ON nexus_inbox_queue
  (hashtextextended(filename, hashtextextended(workspace, hashtextextended(project_key, 0))), id)
  WHERE status IN ('pending', 'processing') AND idem_key IS NULL AND live_key IS NULL;
DROP INDEX IF EXISTS nexus_inbox_queue_live;

-- Locks those of these tasks that are still to be had, in this order, until it has so many; what others are taking it leaves to them.
-- A function sees what was committed up to its own call: a statement that finds out in the middle of a long plan that a row has
-- changed since it began sets up all of that plan anew for each such row.
CREATE OR REPLACE FUNCTION nexus_inbox_take(ids integer[], most bigint) RETURNS SETOF integer LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT mine.id FROM unnest(ids) AS h (id) CROSS JOIN LATERAL (
    SELECT q.id FROM nexus_inbox_queue AS q
    WHERE q.id = h.id AND q.status = 'pending' AND q.run_at <= statement_timestamp()
    FOR UPDATE OF q SKIP LOCKED) AS mine
  LIMIT most;
END
$$;
