import { type Adoption, ownRightsProblem, readAdoption } from '../adoption/adoption.ts'
import { type Queryable, sql } from '../client.ts'
import { HOME_IN_PATH, HOME_SCHEMA } from '../home-schema.ts'
import type { Migration } from './files.ts'

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
  /** what was found in the tables of Kratos */
  adoption?: Adoption
}

export interface StateOptions {
  /** Checks only what is pending: for a running server, which no later change may take out of service. */
  quick?: boolean
  /** Accepts tables that a newer Kratos migrated, whatever is recorded. */
  acceptNewer?: boolean
}

// pg_class and not to_regclass(): the latter sees what others committed after this statement began, and would show
// tables beside a list of migrations in which they are missing.
const FIND_TABLES = sql(
  'migrate.find_tables',
  `select n.nspname as schema, c.relname as name,
     has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and (
     (n.nspname = 'lethe' and c.relname = 'migrations') or
     (n.nspname = (${HOME_SCHEMA}) and c.relname in ('schema_migration', 'networks', 'identities', 'identity_credentials', 'sessions')))`,
)
const REACH = sql(
  'migrate.reach',
  `select ${HOME_SCHEMA} as home, ${HOME_IN_PATH} as in_path, quote_ident(current_user) as role, quote_ident(current_database()) as database`,
)
const APPLIED = sql(
  'migrate.applied',
  `select m.version, m.name, m.checksum, m.breaking from lethe.migrations m order by m.version`,
)
const ACCEPTED = sql('migrate.accepted', `select value from lethe.meta where key = 'kratos_newest'`)

export async function readState(
  db: Queryable,
  known: readonly Migration[],
  options: StateOptions = {},
): Promise<MigrationState> {
  // The tables first: a migration's tables become visible together with its row, so a table seen here has its row below.
  const found = await db.query<{ schema: string; name: string; readable: boolean }>(FIND_TABLES)
  const own = found.find(({ schema }) => schema === 'lethe')
  if (own && !own.readable) return { kind: 'foreign', applied: [], problem: await ownRightsProblem(db) }
  const [reach] = options.quick ? [] : await db.query<Reach>(REACH)
  if (reach?.in_path === false) return { kind: 'foreign', applied: [], problem: outOfReach(reach) }
  const applied = own ? await db.query<AppliedRow>(APPLIED) : []
  const tables = found.filter((table) => table.schema !== 'lethe').map((table) => table.name)
  const owned = known.filter((migration) => migration.owned).map((migration) => migration.version)
  const base = { applied, problem: checkApplied(applied, known) }

  if (tables.includes('schema_migration'))
    return options.quick ? { ...base, kind: 'adopted' } : adopted(db, base, options)
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

interface Reach {
  home: string
  in_path: boolean
  role: string
  database: string
}

/** Connections set the search path themselves; on a pooler's connection that is not allowed. */
const outOfReach = ({ home, role, database }: Reach) =>
  `the tables are in the schema "${home}", which is not in the search_path of the user of the database; run once, as an ` +
  `administrator of it: alter role ${role} in database ${database} set search_path = "${home}", public`

async function adopted(
  db: Queryable,
  base: Omit<MigrationState, 'kind'>,
  options: StateOptions,
): Promise<MigrationState> {
  const adoption = await readAdoption(db)
  const own = base.applied.length > 0 ? await ownRightsProblem(db) : undefined
  const problems = [...adoption.problems, ...(own === undefined ? [] : [own])]
  if (problems.length === 0 && adoption.newer !== undefined && !options.acceptNewer) {
    const [accepted] = base.applied.length > 0 ? await db.query<{ value: string }>(ACCEPTED) : []
    if (accepted === undefined || accepted.value < adoption.newer) problems.push(newerKratos(adoption.newer))
  }
  if (problems.length === 0) return { ...base, adoption, kind: 'adopted' }
  const lines = problems.map((problem) => `\n  - ${problem}`)
  return {
    ...base,
    adoption,
    kind: 'foreign',
    problem: `the tables in this database cannot be shared:${lines.join('')}`,
  }
}

const newerKratos = (version: string) =>
  `a newer Kratos migrated it (to ${version}): all that is needed is there, but its rules are not known here; ` +
  'accept that version with "migrate sql up --newer-kratos"'

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
