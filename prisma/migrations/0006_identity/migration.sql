-- Ours alone: the one row names this database, so that who moves stores knows it again.
CREATE TABLE IF NOT EXISTS nexus_identity (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO nexus_identity DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Which move a store went away with; null where nobody said.
ALTER TABLE nexus_moved ADD COLUMN IF NOT EXISTS moved_by text;
