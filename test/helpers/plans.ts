import pg from 'pg'
import type { Db, Queryable, Sql } from '../../src/kernel/db/client.ts'
import { inOrder } from '../../src/kernel/db/named.ts'
import { encodeValue } from '../../src/kernel/db/values.ts'

export interface Sent {
  statement: Sql
  values: readonly unknown[]
}

/** The database, and what was sent to it: of each name the one with the most values. */
export function recording(db: Db): { db: Db; sent: Map<string, Sent> } {
  const sent = new Map<string, Sent>()
  const size = (values: readonly unknown[]) => values.flat().length
  const over = (to: Queryable): Queryable => ({
    query(statement, given = []) {
      const values = inOrder(statement, given)
      const before = sent.get(statement.name)
      if (!before || size(values) > size(before.values)) sent.set(statement.name, { statement, values })
      return to.query(statement, given)
    },
  })
  return { db: { ...db, ...over(db), tx: (work) => db.tx((tx) => work(over(tx))) }, sent }
}

/** How a plan comes to the rows of one table. */
export interface Scan {
  table: string
  /** undefined: all of it is read */
  index: string | undefined
  /** what the index is searched for */
  condition: string
}

interface PlanNode {
  'Node Type': string
  Schema?: string
  'Relation Name'?: string
  'Index Name'?: string
  'Index Cond'?: string
  'Conflict Arbiter Indexes'?: string[]
  Plans?: PlanNode[]
}

/**
 * How the server runs a prepared statement after `runs` runs of it: with `generic`, with the plan for any values, else
 * with the one that it prefers by then.
 */
export async function scansOf(client: pg.Client, { statement, values }: Sent, generic: boolean): Promise<Scan[]> {
  const given = values.map(encodeValue).map((value) => (value === null ? 'null' : pg.escapeLiteral(value)))
  await client.query(`set plan_cache_mode = ${generic ? 'force_generic_plan' : 'auto'}`)
  await client.query(`prepare held as ${statement.text}`)
  try {
    const explain = `explain (format json, verbose) execute held${given.length > 0 ? `(${given.join(', ')})` : ''}`
    let plan: PlanNode | undefined
    // The sixth is the first for which a plan for any values may be kept.
    for (let run = 0; run < (generic ? 1 : 7); run += 1) {
      const { rows } = await client.query(explain)
      plan = rows[0]['QUERY PLAN'][0].Plan
    }
    return scans(plan!, undefined)
  } finally {
    await client.query('deallocate held')
  }
}

/** Whether the server goes on with the plan for any values, after as many runs as it takes to decide. */
export async function keptFor(client: pg.Client, { statement, values }: Sent): Promise<boolean> {
  const query = { name: statement.name, text: statement.text, values: values.map(encodeValue) }
  for (let run = 0; run < 10; run += 1) await client.query(query)
  const asked = 'select generic_plans > 0 as kept from pg_prepared_statements where name = $1'
  const { rows } = await client.query<{ kept: boolean }>(asked, [statement.name])
  return rows[0]!.kept
}

function scans(node: PlanNode, heap: string | undefined): Scan[] {
  const relation = node['Relation Name']
  const table = relation === undefined ? heap : `${node.Schema === 'public' ? '' : `${node.Schema}.`}${relation}`
  const kind = node['Node Type']
  const below = (node.Plans ?? []).flatMap((child) => scans(child, kind.startsWith('Bitmap') ? table : undefined))
  if (table === undefined) return below
  const arbiters = node['Conflict Arbiter Indexes'] ?? []
  for (const index of arbiters) below.push({ table, index, condition: 'on conflict' })
  if (!kind.endsWith('Scan') || kind === 'Bitmap Heap Scan') return below
  return [{ table, index: node['Index Name'], condition: node['Index Cond'] ?? '' }, ...below]
}
