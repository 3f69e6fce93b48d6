import { after } from 'node:test'
import { type Db, sql } from '../../src/kernel/db/client.ts'

/** As many as one process has open at once; more are closed. */
const MOST = 4

interface Prepared {
  shape: string
  /** a script that leaves the rows that were there at the beginning */
  restore: string
}

export interface Spares {
  take(): Promise<Db>
  /** for the next test, or closed if it cannot be as it was */
  putBack(db: Db): Promise<void>
}

/**
 * Databases that are used again by the next test of this process, as they were at the beginning: making one takes an
 * embedded engine a second, and Postgres a tenth of one.
 */
export function spareDatabases(make: () => Promise<Db>): Spares {
  const spare: Db[] = []
  let prepared: Promise<Prepared> | undefined
  // An engine that is not closed keeps the process of the test file from ending.
  after(async () => {
    for (const db of spare.splice(0)) await db.close()
  })
  return {
    async take() {
      const db = spare.pop() ?? (await make())
      prepared ??= prepare(db)
      await prepared
      return db
    },
    async putBack(db) {
      if (spare.length < MOST && (await isRestored(db, await prepared!))) spare.push(db)
      else await db.close()
    },
  }
}

async function prepare(db: Db): Promise<Prepared> {
  const tables = await db.query<{ name: string }>(TABLES)
  const sequences = await db.query<{ name: string; value: number | null; start: number }>(SEQUENCES)
  const seeds: string[] = []
  for (const { name } of tables) {
    const all = sql(`test.seeds_of_${name}`, `select jsonb_agg(to_jsonb(t))::text as rows from ${name} t`)
    const [row] = await db.query<{ rows: string | null }>(all)
    if (row!.rows === null) continue
    const copy = `select * from jsonb_populate_recordset(null::${name}, $rows$${row!.rows}$rows$)`
    seeds.push(`insert into ${name} overriding system value ${copy}`)
  }
  // Deleting is cheap in tables that hold a few rows or none; `truncate` makes files anew, also those of every index.
  const statements = [
    // no triggers, and foreign keys in any order
    'set local session_replication_role = replica',
    `set local lock_timeout = '5s'`,
    ...tables.map(({ name }) => `delete from ${name}`),
    ...seeds,
    ...sequences.map(({ name, value, start }) => `perform setval('${name}', ${value ?? start}, ${value !== null})`),
  ]
  const restore = `do $restore$ begin ${statements.join('; ')}; end $restore$`
  return { shape: await shapeOf(db), restore }
}

async function isRestored(db: Db, { shape, restore }: Prepared): Promise<boolean> {
  try {
    // A test that made or took apart tables keeps its pieces to itself.
    if ((await shapeOf(db)) !== shape) return false
    await db.script(restore)
    return true
  } catch {
    return false
  }
}

/** Everything but the rows. */
async function shapeOf(db: Db): Promise<string> {
  return JSON.stringify(await db.query(SHAPE))
}

/** Rows of the catalogs carry the transaction that wrote them: the sums change with every table, trigger or right. */
const SHAPE = sql(
  'test.shape',
  ['class', 'attribute', 'trigger', 'constraint', 'proc', 'type', 'namespace', 'db_role_setting']
    .map((catalog) => `select sum(xmin::text::bigint) as written from pg_${catalog} union all `)
    .join('') +
    // statistics, which decide plans
    `select sum(reltuples) from pg_class where relnamespace <> 'pg_catalog'::regnamespace and relkind = 'r'`,
)

const TABLES = sql(
  'test.own_tables',
  `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'lethe')
   order by schemaname, tablename`,
)

const SEQUENCES = sql(
  'test.own_sequences',
  `select format('%I.%I', schemaname, sequencename) as name, last_value as value, start_value as start from pg_sequences
   where schemaname in ('public', 'lethe')`,
)
