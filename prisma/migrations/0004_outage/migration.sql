-- Ours alone: what is needed so that a write that is sent again applies once, and what a replay could not decide.

-- Ids of applied operations with what the first answered, written by the statement that has the effect.
CREATE TABLE IF NOT EXISTS nexus_applied (
  id text PRIMARY KEY,
  answer text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS nexus_applied_oldest ON nexus_applied (applied_at);

-- Member and values are JSON text: a member's name may hold what no text of PostgreSQL can.
CREATE TABLE IF NOT EXISTS nexus_conflicts (
  id text PRIMARY KEY,
  store text NOT NULL,
  key text NOT NULL,
  member text,
  base text,
  ours text,
  theirs text,
  reason text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS nexus_conflicts_newest ON nexus_conflicts (at DESC, id DESC);
