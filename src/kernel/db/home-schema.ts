/** Schemas with tables of Kratos's names. */
const WITH_TABLES = `select n.oid, n.nspname as name, array_position(current_schemas(false), n.nspname) as place
  from pg_namespace n where n.nspname !~ '^pg_' and 2 = (select count(*) from pg_class c
    where c.relnamespace = n.oid and c.relkind in ('r', 'p') and c.relname in ('identities', 'networks'))`
const IS_OURS = `exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'lethe' and c.relname = 'meta')`

/**
 * An expression for the schema that holds the tables that Kratos has too, or will hold them. It does not depend
 * on the user: `search_path` begins with the name of the user, and for a user named `lethe` that is the schema beside
 * those tables. The search path comes first; beyond it, an owned database shows it by where its tables are.
 */
export const HOME_SCHEMA = `coalesce(
  (select t.name from (${WITH_TABLES}) t where t.place is not null order by t.place limit 1),
  (select min(t.name::text)::name from (${WITH_TABLES}) t where ${IS_OURS} having count(*) = 1),
  (select t.name from (${WITH_TABLES}) t where ${IS_OURS} and t.name = 'lethe'),
  (select p.name from unnest(current_schemas(false)) with ordinality p(name, place)
   where p.name <> 'lethe' and has_schema_privilege(p.name, 'create') order by p.place limit 1),
  current_schema())`

/** Whether names without a schema are found there. */
export const HOME_IN_PATH = `coalesce(${HOME_SCHEMA} = any(current_schemas(false)), true)`

/** Puts it first in the search path. `local`: for the transaction; otherwise for the connection, which must not be a pooler's. */
export const useHomeSchema = (local: boolean) =>
  `select set_config('search_path', concat_ws(', ', quote_ident(${HOME_SCHEMA}), nullif(current_setting('search_path'), '')), ${local})`
