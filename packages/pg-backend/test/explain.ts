import pg from 'pg'
import type { Statement } from '../src/query.ts'

/** One node of a plan that was run. */
interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Rows Removed by Index Recheck'?: number
  Plans?: PlanNode[]
}

interface Examined {
  /** Rows that the nodes that read a table or an index looked at, those that a filter threw away included. */
  rows: number
  /** Tables that were read from end to end. */
  wholeTables: string[]
}

export type PlanMode = 'force_generic_plan' | 'force_custom_plan'

export interface Explainer extends AsyncDisposable {
  client: pg.Client
  /** Runs the statement as the store prepares it, and takes back what it did. */
  examine(statement: Statement, values: readonly unknown[]): Promise<Examined>
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

/** What a generated series or a list of values gives is no row of ours; a bitmap is read twice. */
const readsRows = ({ 'Node Type': type }: PlanNode): boolean =>
  /^(Seq|Index|Index Only|Bitmap Index|Sample|Tid|Tid Range) Scan$/.test(type)

const examinedBy = (node: PlanNode): number =>
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)) *
  node['Actual Loops']

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const examinedIn = (plan: PlanNode): Examined => {
  const nodes = nodesOf(plan).filter((node) => readsRows(node) && node['Actual Loops'] > 0)
  return {
    rows: Math.round(sum(nodes.map(examinedBy))),
    wholeTables: nodes
      .filter((node) => node['Node Type'] === 'Seq Scan')
      .map((node) => node['Relation Name'] ?? '')
      .filter((table) => table.startsWith('nexus_') && table !== 'nexus_quarantine'),
  }
}

const arrayLiteral = (values: readonly unknown[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : JSON.stringify(String(value)))).join(',')}}`

const literal = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return pg.escapeLiteral(arrayLiteral(value))
  return pg.escapeLiteral(value instanceof Date ? value.toISOString() : String(value))
}

/**
 * A connection that plans as ours do after their first executions (generic), or in them (custom), with all indexes or
 * without one of them.
 */
export const openExplainer = async (dsn: string, mode: PlanMode, without?: string): Promise<Explainer> => {
  const begin = without === undefined ? 'BEGIN' : `BEGIN; DROP INDEX ${without}`
  const client = new pg.Client({ connectionString: dsn })
  client.on('error', () => {})
  await client.connect()
  await client.query(`SET plan_cache_mode = ${mode}`)
  const prepared = new Set<string>()
  return {
    client,
    async examine({ name, text }, values) {
      if (!prepared.has(name)) await client.query(`PREPARE "${name}" AS ${text}`)
      prepared.add(name)
      const call = values.length > 0 ? `(${values.map(literal).join(', ')})` : ''
      await client.query(begin)
      try {
        const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
          `EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) EXECUTE "${name}"${call}`,
        )
        const plan = rows[0]?.['QUERY PLAN'][0].Plan
        if (!plan) throw new Error(`No plan came back for ${text}`)
        return examinedIn(plan)
      } finally {
        await client.query('ROLLBACK')
      }
    },
    async [Symbol.asyncDispose]() {
      await client.end()
    },
  }
}
