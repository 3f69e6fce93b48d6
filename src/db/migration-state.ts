import { type Queryable, sql } from './client.ts'
import type { Migration } from './migration-files.ts'

/**
 * `empty`: nothing of ours or of Kratos. `owned`: made by our migrations. `adopted`: Kratos's, at v26.2.0 or later.
 * `foreign`: neither, or a Kratos of another version; not to be touched.
 */
export type DatabaseKind = 'empty' | 'owned' | 'adopted' | 'foreign'

export interface AppliedRow {
  version: number
  name: string
  checksum: string
  breaking: boolean
}

export interface MigrationState {
  kind: DatabaseKind
  applied: AppliedRow[]
  /** why the database must not be used by this program, for the operator */
  problem: string | undefined
}

/** The last migration of Kratos v26.2.0. */
export const KRATOS_VERSION_ROW = '20260114175904000000'

// pg_class and not to_regclass(): the latter sees what others committed after this statement began, and would show
// tables beside a list of migrations in which they are missing.
const FIND_TABLES = sql(
  'migrate.find_tables',
  `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and (
     (n.nspname = 'lethe' and c.relname = 'migrations') or
     (n.nspname = current_schema() and c.relname in ('schema_migration', 'networks', 'identities', 'identity_credentials', 'sessions')))`,
)
const APPLIED = sql(
  'migrate.applied',
  `select m.version, m.name, m.checksum, m.breaking from lethe.migrations m order by m.version`,
)
const KRATOS_VERSION = sql('migrate.kratos_version', `select version from schema_migration where version = $1`)

export async function readState(db: Queryable, known: readonly Migration[]): Promise<MigrationState> {
  // The tables first: what a migration makes becomes visible together with its row, so a table seen here has its row below.
  const found = await db.query<{ schema: string; name: string }>(FIND_TABLES)
  const has = (schema: string, name: string) => found.some((t) => t.schema === schema && t.name === name)
  const applied = has('lethe', 'migrations') ? await db.query<AppliedRow>(APPLIED) : []
  const tables = found.filter((table) => table.schema !== 'lethe').map((table) => table.name)
  const owned = known.filter((migration) => migration.owned).map((migration) => migration.version)
  const base = { applied, problem: checkApplied(applied, known) }

  if (tables.includes('schema_migration')) {
    const [row] = await db.query(KRATOS_VERSION, [KRATOS_VERSION_ROW])
    if (row) return { ...base, kind: 'adopted' }
    const problem = 'the database belongs to another version of Kratos; bring it to v26.2.0 (kratos migrate sql) first'
    return { ...base, kind: 'foreign', problem }
  }
  if (applied.some((row) => owned.includes(row.version))) return { ...base, kind: 'owned' }
  if (tables.length > 0) {
    const problem = `the database has tables named ${tables.join(', ')} that are neither ours nor Kratos's; use an empty one`
    return { ...base, kind: 'foreign', problem }
  }
  if (applied.length > 0) {
    const problem = 'the schema "lethe" was made beside the tables of Kratos, and those are gone; restore them'
    return { ...base, kind: 'foreign', problem }
  }
  return { ...base, kind: 'empty' }
}

function checkApplied(applied: readonly AppliedRow[], known: readonly Migration[]): string | undefined {
  for (const row of applied) {
    const file = known.find((migration) => migration.version === row.version)
    const label = `${String(row.version).padStart(4, '0')}-${row.name}`
    if (!file && row.breaking) {
      return `the database was migrated by a newer version (${label}) that this one cannot work with; start the newer one`
    }
    if (file && file.checksum !== row.checksum) {
      return `migration ${label} differs from the one that was applied; restore migrations/${label}.sql, changes need a new file`
    }
  }
  return undefined
}
