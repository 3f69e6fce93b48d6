import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { HOME_SCHEMA } from '../../kernel/db/home-schema.ts'
import { type WatchObject, watchObjects } from './triggers.ts'

const HOME = sql('watch.home', `select quote_ident(${HOME_SCHEMA}) as home`)

const FOUND = sql(
  'watch.found',
  `select p.proname as name, p.prosrc as body, t.tgname as trigger, t.tgenabled as enabled
   from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     left join pg_trigger t on t.tgfoid = p.oid and t.tgrelid in (
       select c.oid from pg_class c join pg_namespace h on h.oid = c.relnamespace
       where h.nspname = (${HOME_SCHEMA}) and c.relname in ('sessions', 'identities'))
   where n.nspname = 'lethe' and p.proname like 'watch\\_%'`,
)

const RECORDED = sql('watch.recorded', `select m.value from lethe.meta m where m.key = 'watch'`)

const RIGHTS = sql(
  'watch.rights',
  `select current_user as role, has_schema_privilege('lethe', 'create') as may_create,
    (select array_agg(c.relname::text order by c.relname) from pg_class c join pg_namespace h on h.oid = c.relnamespace
     where h.nspname = (${HOME_SCHEMA}) and c.relname in ('sessions', 'identities')
       and not has_table_privilege(c.oid, 'trigger')) as without_trigger`,
)

export interface FoundFunction {
  name: string
  body: string
  /** null: no trigger calls it */
  trigger: string | null
  /** `D`: switched off */
  enabled: string | null
}

/** What `adopt watch on` has noted. */
export interface WatchNote {
  since: string
}

export interface WatchRights {
  role: string
  may_create: boolean
  without_trigger: string[] | null
}

export async function readWatch(db: Queryable) {
  const [home] = await db.query<{ home: string }>(HOME)
  const [note] = await db.query<{ value: WatchNote }>(RECORDED)
  const found = await db.query<FoundFunction>(FOUND)
  return { home: home!.home, objects: watchObjects(home!.home), note: note?.value, found }
}

export async function readRights(db: Queryable): Promise<WatchRights> {
  return (await db.query<WatchRights>(RIGHTS))[0]!
}

/**
 * All or nothing. Writers of the two tables wait while it waits for those before it, so it does not wait long.
 * @throws StoreUnavailable with 55P03 where a long transaction is in the way
 */
export function install(db: Db, objects: readonly WatchObject[], note: WatchNote): Promise<void> {
  const text = [
    ...objects.flatMap(({ name, create, trigger }) => [drop(name), create, trigger.create]),
    `insert into lethe.meta (key, value) values ('watch', '${JSON.stringify(note)}'::jsonb)
     on conflict (key) do update set value = excluded.value`,
  ]
  return inTransaction(db, text)
}

/** The functions go, and with them the triggers: dropping those by themselves takes the owner of the table. */
export function remove(db: Db, names: readonly string[]): Promise<void> {
  return inTransaction(db, [...names.map(drop), `delete from lethe.meta where key = 'watch'`])
}

const drop = (name: string) => `drop function if exists lethe.${name}() cascade`

const LOCK_TIMEOUT_MS = 2000

function inTransaction(db: Db, statements: readonly string[]): Promise<void> {
  const all = ['begin', `set local lock_timeout = ${LOCK_TIMEOUT_MS}`, ...statements, 'commit']
  return db.script(all.join(';\n'))
}
