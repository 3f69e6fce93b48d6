import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { HOME_SCHEMA, useHomeSchema } from '../../kernel/db/home-schema.ts'
import { CREATE_WATCHED, DROP_WATCHED, FILL_WATCHED } from './store-poll.ts'
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

const RECORDED = sql(
  'watch.recorded',
  `select to_regclass('lethe.watched') is not null as list, m.value
   from (values (true)) one (row) left join lethe.meta m on m.key = 'watch'`,
)

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

/** The record of `adopt watch on`. */
export interface WatchNote {
  kind: 'trigger' | 'poll'
  since: Timestamp
}

export interface WatchRights {
  role: string
  may_create: boolean
  without_trigger: string[] | null
}

export async function readWatch(db: Queryable) {
  const [home] = await db.query<{ home: string }>(HOME)
  const [noted] = await db.query<{ list: boolean; value: WatchNote | null }>(RECORDED)
  const found = await db.query<FoundFunction>(FOUND)
  return {
    home: home!.home,
    objects: watchObjects(home!.home),
    note: noted!.value ?? undefined,
    list: noted!.list,
    found,
  }
}

export async function readRights(db: Queryable): Promise<WatchRights> {
  return (await db.query<WatchRights>(RIGHTS))[0]!
}

/**
 * In one transaction. Writers of the two tables wait while it waits for those before it, so its wait is short.
 * @throws StoreUnavailable with 55P03 where a long transaction is in the way
 */
export function install(db: Db, objects: readonly WatchObject[], since: Timestamp): Promise<void> {
  return inTransaction(db, [
    ...objects.flatMap(({ name, create, trigger }) => [drop(name), create, trigger.create]),
    noting({ kind: 'trigger', since }),
  ])
}

/** Nothing on the tables of Kratos: only the list of living sessions for the comparison. */
export function installPolling(db: Db, since: Timestamp): Promise<void> {
  return inTransaction(db, [useHomeSchema(true), CREATE_WATCHED, FILL_WATCHED, noting({ kind: 'poll', since })])
}

/** Drops the functions, and with them the triggers: dropping those alone needs the owner of the table. */
export function remove(db: Db, names: readonly string[]): Promise<void> {
  return inTransaction(db, [...names.map(drop), DROP_WATCHED, `delete from lethe.meta where key = 'watch'`])
}

/** Drops the list of the comparison, after triggers have taken over and the last comparison was made. */
export function removeList(db: Db): Promise<void> {
  return inTransaction(db, [DROP_WATCHED])
}

const noting = (
  note: WatchNote,
) => `insert into lethe.meta (key, value) values ('watch', '${JSON.stringify(note)}'::jsonb)
  on conflict (key) do update set value = excluded.value`

const drop = (name: string) => `drop function if exists lethe.${name}() cascade`

const LOCK_TIMEOUT_MS = 2000

function inTransaction(db: Db, statements: readonly string[]): Promise<void> {
  const all = ['begin', `set local lock_timeout = ${LOCK_TIMEOUT_MS}`, ...statements, 'commit']
  return db.script(all.join(';\n'))
}
