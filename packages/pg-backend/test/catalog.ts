import type { PgClient } from '../src/client.ts'
import type { Row } from '../src/session.ts'

const columns = `SELECT table_name AS "table", column_name AS "column", data_type AS type, character_maximum_length AS length,
    numeric_precision AS precision, datetime_precision AS datetime, is_nullable AS nullable,
    regexp_replace(column_default, '::(text|character varying)', '') AS "default"
  FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY($1) ORDER BY 1, 2`

/** Those that Prisma can express: no predicate, no expression, a btree, nulls where they belong by default. */
const indexes = `SELECT t.relname AS "table", c.relname AS name, i.indisunique AS "unique", i.indisprimary AS "primary",
    array(SELECT pg_get_indexdef(i.indexrelid, n, true) || CASE WHEN i.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END
      FROM generate_series(1, i.indnkeyatts) AS n) AS keys
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_am a ON a.oid = c.relam
  WHERE t.relnamespace = 'public'::regnamespace AND t.relname = ANY($1) AND i.indpred IS NULL AND i.indexprs IS NULL
    AND a.amname = 'btree'
    AND NOT EXISTS (SELECT FROM unnest(i.indoption::int2[]) AS flag WHERE (flag & 1) <> (flag & 2) >> 1)
  ORDER BY 1, 2`

const constraints = `SELECT conrelid::regclass::text AS "table", conname AS name, contype AS kind, pg_get_constraintdef(oid) AS is
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text = ANY($1)
    AND contype IN ('p', 'u', 'f', 'c') ORDER BY 1, 2`

export interface Catalog {
  columns: Row[]
  indexes: Row[]
  constraints: Row[]
}

/** What the database says of these tables. */
export const readCatalog = async ({ query }: Pick<PgClient, 'query'>, tables: readonly string[]): Promise<Catalog> => ({
  columns: (await query(columns, [tables])).rows,
  indexes: (await query(indexes, [tables])).rows,
  constraints: (await query(constraints, [tables])).rows,
})
