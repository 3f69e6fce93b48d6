import { type Queryable, sql } from '../client.ts'
import { HOME_SCHEMA } from '../home-schema.ts'
import { NEEDED_CASCADES, NEEDED_COLUMNS, NEEDED_RIGHTS, NEEDED_UNIQUE } from './tables.ts'

/** The last migration of Kratos v26.2.0. */
export const KRATOS_VERSION_ROW = '20260114175904000000'

export interface Adoption {
  /** greatest version in Kratos's list of migrations; undefined where the list cannot be read */
  newest: string | undefined
  /** that version, where it is later than the last one of v26.2.0 */
  newer: string | undefined
  /** why the tables cannot be shared, each with the remedy; empty when they can */
  problems: string[]
  /** columns and tables that this program does not know and does not need to */
  unknown: string[]
}

const TABLES = sql(
  'adoption.tables',
  `select c.relname as table, c.relkind in ('r', 'p') as is_table,
    (select string_agg(p, ', ') from unnest(array['select', 'insert', 'update', 'delete']) p
     where has_table_privilege(c.oid, p)) as rights
   from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = (${HOME_SCHEMA}) and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
)
const COLUMNS = sql(
  'adoption.columns',
  `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
    a.attnotnull and not a.atthasdef and a.attidentity = '' as must_be_given
   from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = (${HOME_SCHEMA}) and c.relname = any($1) and a.attnum > 0 and not a.attisdropped
   order by c.relname, a.attnum`,
)
const UNIQUE = sql(
  'adoption.unique',
  `select c.relname as table, (select string_agg(a.attname, ',' order by a.attname collate "C")
     from pg_attribute a where a.attrelid = c.oid and a.attnum = any(i.indkey)) as columns
   from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = (${HOME_SCHEMA}) and c.relname = any($1)
     and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null`,
)
const CASCADES = sql(
  'adoption.cascades',
  `select c.relname as table, a.attname as column, target.relname as target
   from pg_constraint f join pg_class c on c.oid = f.conrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class target on target.oid = f.confrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = f.conkey[1]
   where n.nspname = (${HOME_SCHEMA}) and f.contype = 'f' and f.confdeltype = 'c' and cardinality(f.conkey) = 1`,
)
const NEWEST = sql(
  'adoption.newest',
  'select max(version) as newest, bool_or(version = $1) as known from schema_migration',
)

/** Inspects the tables that Kratos made; changes nothing. @throws StoreUnavailable */
export async function readAdoption(db: Queryable): Promise<Adoption> {
  const tables = await db.query<{ table: string; is_table: boolean; rights: string | null }>(TABLES)
  const names = Object.keys(NEEDED_COLUMNS)
  const missing = names.filter((name) => !tables.some(({ table, is_table }) => table === name && is_table))
  if (missing.length > names.length / 2) return notKratos

  const rights = new Map(tables.map(({ table, rights }) => [table, rights ?? '']))
  const readable = rights.get('schema_migration')?.includes('select') === true
  const columns = await db.query<Column>(COLUMNS, [[...names, 'schema_migration']])
  const listed = columns.some(({ table, column }) => table === 'schema_migration' && column === 'version')
  if (!listed) return notKratos
  const [version] = readable ? await db.query<Version>(NEWEST, [KRATOS_VERSION_ROW]) : []
  const unique = await db.query<{ table: string; columns: string }>(UNIQUE, [names])
  const cascades = await db.query<{ table: string; column: string; target: string }>(CASCADES)
  const newest = version?.newest ?? undefined
  return {
    newest,
    newer: newest !== undefined && newest > KRATOS_VERSION_ROW ? newest : undefined,
    problems: [
      ...(version ? versionProblems(version) : []),
      ...missing.map((table) => `the table ${table} is missing`),
      ...columnProblems(columns, missing),
      ...NEEDED_UNIQUE.filter(
        ([table, ...of]) => !unique.some((index) => index.table === table && index.columns === of.join()),
      ).map(([table, ...of]) => `the unique index on ${table} (${of.join(', ')}) is missing`),
      ...NEEDED_CASCADES.filter(
        (needed) => !cascades.some((key) => [key.table, key.column, key.target].join() === needed.join()),
      ).map(
        ([table, column, target]) => `the key from ${table}.${column} to ${target} with "on delete cascade" is missing`,
      ),
      ...rightProblems(rights),
    ],
    unknown: unknownColumns(columns),
  }
}

const notKratos: Adoption = {
  newest: undefined,
  newer: undefined,
  problems: ['the list in schema_migration is that of another program, not of Kratos; use another database'],
  unknown: [],
}

interface Version {
  newest: string | null
  known: boolean | null
}

interface Column {
  table: string
  column: string
  type: string
  must_be_given: boolean
}

function versionProblems({ newest, known }: Version): string[] {
  if (known) return []
  const found = newest === null ? 'are none' : `end at ${newest}`
  return [
    `its migrations ${found}, those of v26.2.0 at ${KRATOS_VERSION_ROW}; run "kratos migrate sql up" of v26.2.0 first`,
  ]
}

function columnProblems(columns: readonly Column[], missingTables: readonly string[]): string[] {
  return Object.entries(NEEDED_COLUMNS)
    .filter(([table]) => !missingTables.includes(table))
    .flatMap(([table, needed]) => {
      const present = columns.filter((column) => column.table === table)
      const wrong = Object.entries(needed).flatMap(([name, type]) => {
        const found = present.find(({ column }) => column === name)
        if (!found) return [`the column ${table}.${name} is missing`]
        return isAsGood(found.type, type) ? [] : [`the column ${table}.${name} is ${found.type} and should be ${type}`]
      })
      const demanding = present.filter(({ column, must_be_given: must }) => must && !(column in needed))
      return [
        ...wrong,
        ...demanding.map(
          ({ column }) => `the column ${table}.${column} is new and must be filled: a newer Kratos made it`,
        ),
      ]
    })
}

/** A longer text type holds everything that a shorter one does. */
function isAsGood(found: string, needed: string): boolean {
  if (found === needed || (found === 'text' && needed.startsWith('character varying'))) return true
  const length = (type: string) => Number(/^character varying(?:\((\d+)\))?$/.exec(type)?.[1] ?? Number.NaN)
  return found === 'character varying' || length(found) >= length(needed)
}

/** Columns of Kratos that Lethe does not use are no problem; those of a newer Kratos are worth knowing. */
function unknownColumns(columns: readonly Column[]): string[] {
  return columns
    .filter(({ table, column }) => NEEDED_COLUMNS[table] && !(column in NEEDED_COLUMNS[table]) && !UNUSED.has(column))
    .map(({ table, column }) => `${table}.${column}`)
}

/** Columns of v26.2.0 that no statement here names. */
const UNUSED = new Set(['oauth2_login_challenge', 'submit_count', 'organization_id'])

function rightProblems(rights: ReadonlyMap<string, string>): string[] {
  return Object.entries(NEEDED_RIGHTS).flatMap(([table, needed]) => {
    const granted = rights.get(table)
    const lacking = granted === undefined ? [] : needed.split(', ').filter((right) => !granted.includes(right))
    if (lacking.length === 0) return []
    return [`the user of the database lacks rights: grant ${lacking.join(', ')} on ${table} to it`]
  })
}

const MAY_CREATE = sql(
  'adoption.may_create',
  `select coalesce((select has_schema_privilege(oid, 'create, usage') from pg_namespace where nspname = 'lethe'),
    has_database_privilege(current_database(), 'create')) as may, exists (
      select from pg_namespace where nspname = 'lethe') as there`,
)

/** Why the schema `lethe` cannot be made or changed by this user of the database; undefined when it can. */
export async function creationProblem(db: Queryable): Promise<string | undefined> {
  const [row] = await db.query<{ may: boolean; there: boolean }>(MAY_CREATE)
  if (row!.may) return undefined
  return row!.there
    ? 'the user of the database may not change the schema lethe; run the migrations as its owner'
    : 'the user of the database may not create the schema lethe; grant create on the database to it, or run the migrations as another user'
}

const OWN_RIGHTS = sql(
  'adoption.own_rights',
  `select c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = 'lethe' and c.relkind in ('r', 'p') and (not has_schema_privilege(n.oid, 'usage')
     or not has_table_privilege(c.oid, 'select')
     or c.relname <> 'migrations' and not (has_table_privilege(c.oid, 'insert')
       and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete')))
   order by c.relname`,
)

/** The rights that the user of the database lacks in the existing schema `lethe`. */
export async function ownRightsProblem(db: Queryable): Promise<string | undefined> {
  const tables = (await db.query<{ table: string }>(OWN_RIGHTS)).map(({ table }) => `lethe.${table}`)
  if (tables.length === 0) return undefined
  return `the user of the database lacks rights: grant usage on schema lethe and select, insert, update, delete on ${tables.join(', ')} to it`
}
