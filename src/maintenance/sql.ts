import { MESSAGE_STATUS } from '../courier/types.ts'
import { KINDS } from '../flows/kinds.ts'
import { type Sql, sql } from '../kernel/db/client.ts'
import { HOME_SCHEMA } from '../kernel/db/home-schema.ts'

/**
 * Every statement takes a bounded number of rows and skips locked ones: a logout or a login never
 * waits for the collector, and two collectors share the work instead of waiting for each other.
 */

export const TRY_LOCK = sql('gc.try_lock', 'select pg_try_advisory_xact_lock(465558595686) as mine')

export const LOG = sql(
  'gc.log',
  `select (select m.id from lethe.event_epochs m order by m.number desc limit 1) as epoch,
     (select coalesce(max(e.seq), 0) from lethe.events e) as newest`,
)

/** Deletes Lethe's notes about a session with it: no foreign key does, in either kind of database. */
const WITH_NOTES = `tombstone as (
    delete from lethe.tombstones using deleted where lethe.tombstones.session_id = deleted.id
  ), seen as (
    delete from lethe.last_seen using deleted where lethe.last_seen.session_id = deleted.id
  )`

/**
 * Only inactive rows: an expired session without its event waits for the statement above. `$4` is where the previous batch
 * stopped: without it each batch would walk over the index entries that the ones before left dead.
 */
export const DELETE_EXPIRED_SESSIONS = sql(
  'gc.delete_expired_sessions',
  `with target as (
    select id, expires_at from sessions
    where nid = $1 and expires_at <= $2 and active is not true and expires_at >= $4
    order by expires_at, id limit $3 for update skip locked
  ), deleted as (
    delete from sessions using target where sessions.id = target.id returning sessions.id
  ), ${WITH_NOTES}
  select (select count(*) from deleted) as count, (select max(expires_at) from target) as last`,
)

/** Sessions that ended before they expired, found by their event; `$4` is where the previous batch stopped. */
export const DELETE_ENDED_SESSIONS = sql(
  'gc.delete_ended_sessions',
  `with old as (
    select seq, session_id from lethe.events
    where type = 'session.ended' and seq > $4 and created_at <= $2 and nid = $1
    order by seq limit $3
  ), target as (
    select s.id from sessions s join old on old.session_id = s.id
    where s.nid = $1 and s.active is not true for update of s skip locked
  ), deleted as (
    delete from sessions using target where sessions.id = target.id returning sessions.id
  ), ${WITH_NOTES}
  select (select count(*) from deleted) as count, (select max(seq) from old) as last`,
)

/** Deletes up to `$2` notes older than `$1` on sessions that another program deleted, as Kratos's own clean-up does. */
const deleteOrphans = (table: 'tombstones' | 'last_seen' | 'upstream_sessions', time: string, left = '', order = '') =>
  sql(
    `gc.delete_orphaned_${table}`,
    `with target as (
      select x.session_id from lethe.${table} x
      where x.${time} <= $1 and not exists (select from sessions s where s.id = x.session_id ${left})
      ${order} limit $2 for update skip locked
    ), deleted as (
      delete from lethe.${table} using target where lethe.${table}.session_id = target.session_id
      returning lethe.${table}.session_id
    )
    select count(*) as count from deleted`,
  )

export const DELETE_ORPHANS = [
  deleteOrphans('tombstones', 'ended_at', '', 'order by x.ended_at'),
  deleteOrphans('last_seen', 'seen_at'),
  // Also of sessions that another program ended.
  deleteOrphans('upstream_sessions', 'signed_in_at', 'and s.active'),
]

/** `:after_time` `:after` are where the page before stopped. */
export const FORGET_OLD_DEVICES = sql(
  'gc.forget_old_devices',
  `with page as (
    select e.seq, e.created_at from lethe.events e
    where e.created_at < :until and (e.created_at, e.seq) > (:after_time, :after) order by e.created_at, e.seq limit :limit
  ), forgotten as (
    update lethe.events e set device = null from page where e.seq = page.seq and e.device is not null returning e.seq
  )
  select (select count(*) from forgotten) as count, (select count(*) from page) as seen, last.created_at, last.seq
  from (values (true)) as always
  left join (select page.created_at, page.seq from page order by page.created_at desc, page.seq desc limit 1) last on true`,
)

/** Only sent or abandoned messages, none that is still queued. */
export const DELETE_OLD_MESSAGES = sql(
  'gc.delete_old_messages',
  `with target as (
    select m.id from courier_messages m
    where m.nid = :nid and m.status in (${MESSAGE_STATUS.sent}, ${MESSAGE_STATUS.abandoned}) and m.created_at < :until
    limit :limit for update skip locked
  ), gone as (
    delete from courier_messages m using target where m.id = target.id returning m.id
  )
  select count(*) as count from gone`,
)

/** Tables whose rows are deleted when a time in them is past. The last ones exist only where Kratos made the database. */
export const TABLES = {
  continuity_containers: 'expires_at',
  ...flowTables(),
  session_token_exchanges: 'created_at',
  selfservice_errors: 'created_at',
} as const

function flowTables() {
  const tables = Object.values(KINDS).map(({ table }) => table)
  return Object.fromEntries(tables.map((table) => [table, 'expires_at'])) as Record<
    (typeof tables)[number],
    'expires_at'
  >
}

export type ExpiringTable = keyof typeof TABLES

/** No order: without an index on the time, the first rows found are as good and the search stops early. */
export const DELETE_OLD = Object.fromEntries(
  Object.entries(TABLES).map(([table, column]) => [table, deleteOld(table, column)]),
) as Record<ExpiringTable, Sql>

function deleteOld(table: string, column: string): Sql {
  return sql(
    `gc.delete_${table}`,
    `with target as (
      select id from ${table} where nid = $1 and ${column} <= $2 limit $3 for update skip locked
    ), deleted as (
      delete from ${table} using target where ${table}.id = target.id returning ${table}.id
    )
    select count(*) as count from deleted`,
  )
}

export const EXISTING_TABLES = sql(
  'gc.existing_tables',
  `select relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and n.nspname = (${HOME_SCHEMA}) and c.relname = any($1)`,
)
