import { type Queryable, sql } from '../../src/kernel/db/client.ts'

const STRUCTURE = sql(
  'test.structure',
  `select t.name as table, line from (
     select c.oid, case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as name,
            coalesce(' with ' || array_to_string(c.reloptions, ','), '') as options
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname in ('public', 'lethe')
   ) t, lateral (
     select 0 as kind, a.attnum::int as place, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || case when a.attnotnull then ' not null' else '' end
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
       || case a.attidentity when 'a' then ' always identity' else '' end as line
     from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
     union all
     select 1, 0, conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = t.oid and contype <> 'n'
     union all
     select 2, 0, pg_get_indexdef(indexrelid) from pg_index where indrelid = t.oid
     union all
     select 3, 0, 'options' || t.options where t.options <> ''
   ) parts
   order by t.name collate "C", kind, place, line collate "C"`,
)

/** Tables of `public` and `lethe` with their columns, constraints, indexes and options, one line each. */
export async function structureOf(db: Queryable): Promise<Map<string, string[]>> {
  const tables = new Map<string, string[]>()
  for (const { table, line } of await db.query<{ table: string; line: string }>(STRUCTURE)) {
    tables.set(table, [...(tables.get(table) ?? []), line])
  }
  return tables
}

export function printStructure(tables: Map<string, string[]>): string {
  return [...tables].map(([name, lines]) => [name, ...lines.map((line) => `  ${line}`), ''].join('\n')).join('\n')
}
