import { statement } from '../query.ts'
import { type InboxRow, inboxColumns, nameKey } from './inbox.ts'

/** More than are wanted, since others may be taking the first ones right now. */
const candidates = '($1::bigint * 2 + 16)'

/** What is looked at first: enough where each project has its share of it and nobody takes tasks at the same time. */
const first = '($1::bigint + 8)'

/** Where others take tasks at the same time, or some projects have less than their share. */
const wider = '($1::bigint * 4 + 32)'

/**
 * More than there ever are. With a limit the planner reads the index in its order, and forgets those entries of it that
 * are over, where it would go through all of them until the next vacuum for a bitmap.
 */
const all = '($1::bigint + 1000000000)'

/** What was served last: among projects that are not remembered it is the turn of the next one behind it. */
const lastServed = `coalesce(($4::text[])[cardinality($4::text[])], '')`

/** The name of a task within its project. */
const nameOf = (alias: string): string => `ROW(${alias}.workspace, ${alias}.filename)::text`

const nextProject = (condition: string): string =>
  `SELECT q.project_key FROM nexus_inbox_queue AS q WHERE q.status = 'pending' AND q.project_key ${condition}
     ORDER BY q.project_key LIMIT 1`

/** From project to project, beginning behind the last that was served; then those that were, longest ago first. */
const anyProject = {
  walk: `ahead AS (
     (${nextProject(`> ${lastServed}`)})
     UNION ALL SELECT n.project_key FROM ahead AS p CROSS JOIN LATERAL (${nextProject('> p.project_key')}) AS n),
   behind AS (
     (${nextProject(`<= ${lastServed}`)})
     UNION ALL SELECT n.project_key FROM behind AS p CROSS JOIN LATERAL (
       ${nextProject(`> p.project_key AND q.project_key <= ${lastServed}`)}) AS n),
   turn AS (
     SELECT w.project_key FROM (SELECT * FROM ahead UNION ALL SELECT * FROM behind) AS w
     WHERE w.project_key <> ALL($4::text[])
     UNION ALL SELECT s.project_key FROM unnest($4::text[]) AS s (project_key))`,
  isWanted: 'true',
}

const byTurn = (alias: string): string =>
  `coalesce(array_position($4::text[], ${alias}.project_key), 0), ${alias}.project_key <= ${lastServed}, ${alias}.project_key`

const someProjects = {
  walk: `turn AS (
     SELECT g.project_key FROM (SELECT DISTINCT g.project_key::text FROM unnest($6::text[]) AS g (project_key)) AS g
     ORDER BY ${byTurn('g')})`,
  isWanted: 'o.project_key = ANY($6::text[])',
}

/** The pending tasks of a project at one priority that are due: one range of the index, however many wait besides. */
const due = (project: string, priority: string): string =>
  `q.project_key = ${project} AND q.status = 'pending' AND q.priority = ${priority} AND q.run_at <= statement_timestamp()`

const nextPriority = (project: string, below = ''): string =>
  `SELECT q.priority FROM nexus_inbox_queue AS q WHERE q.project_key = ${project} AND q.status = 'pending' ${below}
     ORDER BY q.priority DESC LIMIT 1`

/** Without anything in processing the first due task of a project can be claimed, whatever its name. */
const hasDue = (project: string): string =>
  `EXISTS (
     WITH RECURSIVE rank AS (
       (${nextPriority(project)})
       UNION ALL SELECT n.priority FROM rank AS r CROSS JOIN LATERAL (
         ${nextPriority(project, 'AND q.priority < r.priority')}) AS n)
     SELECT FROM rank AS r CROSS JOIN LATERAL (
       SELECT FROM nexus_inbox_queue AS q WHERE ${due(project, 'r.priority')} ORDER BY q.run_at, q.id LIMIT 1) AS d)`

/**
 * The first tasks of the project `c` that can be claimed, in order: of each name the first that is due, unless the name is
 * in processing. Read in pieces, each twice as long, so that twins that stand in front are read once and no deeper than
 * they are; from one priority to the next below.
 */
const claimable = (wanted: string): string =>
  `WITH RECURSIVE piece AS (
     SELECT 1 AS step, (${nextPriority('c.project_key')}) AS priority, '-infinity'::timestamptz AS run_at, 0 AS id,
       ${wanted} AS size, c.names AS seen, '{}'::integer[] AS kept
     UNION ALL
     SELECT p.step + 1, CASE WHEN r.count = p.size THEN p.priority ELSE (
         ${nextPriority('c.project_key', 'AND q.priority < p.priority')}) END,
       CASE WHEN r.count = p.size THEN r.run_at ELSE '-infinity' END, CASE WHEN r.count = p.size THEN r.id ELSE 0 END,
       CASE WHEN r.count = p.size THEN p.size * 2 ELSE p.size END, p.seen || r.names, p.kept || r.ids
     FROM piece AS p CROSS JOIN LATERAL (
       SELECT count(*) AS count, max(f.run_at) AS run_at, (array_agg(f.id ORDER BY f.nth DESC))[1] AS id,
         array_agg(f.name ORDER BY f.nth) FILTER (WHERE f.is_first) AS names,
         array_agg(f.id ORDER BY f.nth) FILTER (WHERE f.is_first) AS ids
       FROM (
         SELECT d.*, row_number() OVER (ORDER BY d.run_at, d.id) AS nth, d.name <> ALL(p.seen)
           AND row_number() OVER (PARTITION BY d.name ORDER BY d.run_at, d.id) = 1 AS is_first
         FROM (
           SELECT q.id, q.run_at, ${nameOf('q')} AS name FROM nexus_inbox_queue AS q
           WHERE ${due('c.project_key', 'p.priority')} AND (q.run_at, q.id) > (p.run_at, p.id)
           ORDER BY q.run_at, q.id LIMIT p.size) AS d) AS f) AS r
     WHERE p.priority IS NOT NULL AND cardinality(p.kept) < ${wanted})
   SELECT k.id, k.nth FROM unnest((SELECT p.kept FROM piece AS p ORDER BY p.step DESC LIMIT 1)) WITH ORDINALITY AS k (id, nth)
   WHERE k.nth <= ${wanted}`

/** What a project may have in processing besides what it has; null: as much as there is. */
const roomOf = (alias: string): string => `$5::bigint - ${alias}.held`

/** Of the heads of a reach those that nobody else is taking right now, fairly. */
const takenOf = (heads: string, most: string): string =>
  `SELECT t.id FROM nexus_inbox_take(ARRAY(SELECT h.id FROM ${heads} AS h ORDER BY h.level, ${byTurn('h')}), ${most}) AS t (id)`

/** How far each project is read: `depth` of its tasks, up to a `level` that all have in common. */
interface Reach {
  name: string
  /** Gives project_key, held, names, level, depth and `before`: how many of it were read already. */
  projects: string
  /** Tasks that are still wanted. */
  most: string
}

const reach = ({ name, projects, most }: Reach): string =>
  `${name} AS MATERIALIZED (${projects}),
   ${name}_heads AS MATERIALIZED (
     SELECT h.id, c.project_key, c.held + h.nth AS level FROM ${name} AS c
     CROSS JOIN LATERAL (${claimable('c.depth')}) AS h WHERE h.nth > c.before),
   ${name}_taken AS MATERIALIZED (${takenOf(`${name}_heads`, most)})`

/** What is still wanted after those reaches. */
const missing = (...names: string[]): string =>
  `$1::bigint${names.map((name) => ` - (SELECT count(*) FROM ${name}_taken)`).join('')}`

/** Projects that have more than was read of them, where that was not enough. */
const unexhausted = (name: string, wanted: string): string =>
  `FROM ${name} AS c WHERE ${wanted} > 0 AND c.depth < coalesce(${roomOf('c')}, ${all})
     AND c.depth = c.before + (SELECT count(*) FROM ${name}_heads AS h WHERE h.project_key = c.project_key)`

/** The lowest level at which all these projects together have `first` tasks, if each has so many. */
const firstLevel = `(
   SELECT min((${first} + w.held + w.projects - 1) / w.projects) FROM (
     SELECT (sum(c.held) OVER upwards)::bigint AS held, row_number() OVER upwards AS projects
     FROM chosen AS c WINDOW upwards AS (ORDER BY c.held ROWS UNBOUNDED PRECEDING)) AS w)`

const depthAt = (level: string): string => `least(greatest(0, ${level} - c.held), ${roomOf('c')})`

/**
 * First as far as is enough where each project has its share and nobody else takes tasks, then a few times as far for all,
 * then as far as one project alone would have to be read. Of tasks at one level none is passed over by a reach.
 */
const reaches = [
  reach({
    name: 'near',
    projects: `SELECT c.*, l.level, ${depthAt('l.level')} AS depth, 0::bigint AS before FROM chosen AS c CROSS JOIN ${firstLevel} AS l (level)`,
    most: '$1::bigint',
  }),
  reach({
    name: 'wide',
    projects: `SELECT c.project_key, c.held, c.names, c.level, ${depthAt('c.level')} AS depth, c.before FROM (
       SELECT c.project_key, c.held, c.names, c.level + (${wider} + count(*) OVER () - 1) / count(*) OVER () AS level, c.depth AS before
       ${unexhausted('near', missing('near'))}) AS c`,
    most: missing('near'),
  }),
  reach({
    name: 'whole',
    projects: `SELECT c.project_key, c.held, c.names, c.level, least(c.depth + ${candidates}, ${roomOf('c')}) AS depth, c.depth AS before
       ${unexhausted('wide', missing('near', 'wide'))}`,
    most: missing('near', 'wide'),
  }),
].join(',\n   ')

/**
 * $1 limit, $2 worker, $3 lease in ms, $4 projects by when they were served last, $5 cap per project or null, $6 projects.
 * The level of a task is how many its project would have in processing with it. Where enough projects have none in
 * processing and something due, one of each is enough. `hold_key` makes the statement fail as a whole where another
 * claimer took a twin that this snapshot cannot see.
 */
const claim = ({ walk, isWanted }: typeof anyProject): string =>
  `WITH RECURSIVE ${walk},
   busy AS MATERIALIZED (
     SELECT o.project_key, count(*) AS held, array_agg(o.name) AS names FROM (
       SELECT o.project_key, ${nameOf('o')} AS name FROM nexus_inbox_queue AS o
       WHERE o.status = 'processing' AND ${isWanted} ORDER BY o.project_key, o.id LIMIT ${all}) AS o
     GROUP BY o.project_key),
   idle AS MATERIALIZED (
     SELECT t.project_key FROM turn AS t
     WHERE NOT EXISTS (SELECT FROM busy AS b WHERE b.project_key = t.project_key) AND ${hasDue('t.project_key')}
     LIMIT ${candidates}),
   chosen AS MATERIALIZED (
     SELECT i.project_key, 0::bigint AS held, '{}'::text[] AS names FROM idle AS i
     UNION ALL
     SELECT b.project_key, b.held, b.names FROM busy AS b
     WHERE (SELECT count(*) FROM idle) < ${candidates} AND coalesce($5::bigint > b.held, true)),
   ${reaches},
   mine AS MATERIALIZED (SELECT id FROM near_taken UNION ALL SELECT id FROM wide_taken UNION ALL SELECT id FROM whole_taken)
   UPDATE nexus_inbox_queue AS q SET status = 'processing', claim_epoch = q.claim_epoch + 1, claimed_by = $2::text,
     claimed_at = clock_timestamp(), lease_ms = $3::float8,
     lease_expires_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000), hold_key = ${nameKey('q')}
   WHERE q.id = ANY(ARRAY(SELECT id FROM mine))
   RETURNING ${inboxColumns}, array_position(ARRAY(SELECT id FROM mine), q.id) AS place`

export type ClaimedRow = InboxRow & { place: number }

export const claimTasks = statement<ClaimedRow>(claim(anyProject))

export const claimTasksOf = statement<ClaimedRow>(claim(someProjects))
