import { sql } from '../kernel/db/client.ts'
import { endedByRule, live, nextEnd, recordEnds } from './lifecycle.ts'
import { lockIdentity } from './sql.ts'

/** Every statement that ends a session, or reverses an end. The event is appended in the same statement. */

const VALUES = { now: ':now', nid: ':nid', shared: ':shared::boolean' }
const DETAILS = { actor: ':actor::jsonb', data: ':data::jsonb' }

/**
 * Ends many sessions. A row that another transaction holds is left out rather than waited for: it would hold up its batch. So it
 * never waits, in whatever order it locks. The caller recognises such a row by `was_active` and ends it alone.
 *
 * Written so that the server keeps one plan for any number of them, as look-ups are (see store-hot.ts): it planned each
 * statement anew, which took three quarters of the time of a lone logout (1.2 of 1.5 ms).
 */
const revokeMany = (name: string, column: 'id' | 'token', type: 'uuid' | 'text') =>
  sql(
    name,
    `with input as (
    select key, cause, actor, data from unnest((select :keys::${type}[]), (select :causes::text[]), (select :actors::text[]),
      (select :datas::text[])) as input (key, cause, actor, data)
  ), target as (
    select one.id, input.cause, input.actor, input.data from input cross join lateral (
      select s.id from sessions s where s.${column} = input.key and s.nid = :nid and s.active limit 1 for update skip locked
    ) one
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id
    returning sessions.id, sessions.identity_id, target.cause, target.actor, target.data
  ), ${recordEnds({ ...VALUES, cause: 'ended.cause', actor: 'ended.actor::jsonb', data: 'ended.data::jsonb' })}
  select input.key, s.id, coalesce(s.active, false) as was_active, ended.id is not null as ended
  from input left join lateral (
    select s.id, s.active from sessions s where s.${column} = input.key and s.nid = :nid limit 1
  ) s on true left join ended on ended.id = s.id`,
  )
export const REVOKE_MANY = revokeMany('session.revoke_many', 'id', 'uuid')
export const REVOKE_MANY_BY_TOKEN = revokeMany('session.revoke_many_by_token', 'token', 'text')

/**
 * Waits for the row. By its id also where a token named it: the transaction that held the row may have hashed or replaced the
 * token, and then no row is found by the earlier one.
 */
export const REVOKE_ONE = sql(
  'session.revoke_one',
  `with ended as (
    update sessions set active = false where id = :id and nid = :nid and active returning id, identity_id
  ), ${recordEnds({ ...VALUES, ...DETAILS, cause: ':cause' })}
  select id from ended`,
)

const MEANT = '(:except::uuid is null or s.id <> :except) and (:only::uuid[] is null or s.id = any (:only))'

/**
 * `:caller` is the session that ends others, `:disabled_too` whether its identity may be disabled. It is
 * locked with the others and in their order, so that its own end comes either before, and then no other ends, or after.
 */
export const REVOKE_ALL = sql(
  'session.revoke_all_of_identity',
  `with ${lockIdentity(':identity_id', ':nid')}, locked as (
    select s.id, s.identity_id, s.active, s.issued_at, s.expires_at, s.authenticated_at, ${MEANT} as meant from sessions s
    where s.identity_id = (select id from identity) and s.nid = :nid and s.active and (s.id = :caller::uuid or ${MEANT})
    order by s.id for update
  ), allowed as (
    select identity.id from identity
    where :caller is null or ((identity.state = 'active' or :disabled_too::boolean) and exists (
      select from locked where locked.id = :caller and ${live('locked', ':now')}))
  ), ended as (
    update sessions set active = false from locked, allowed
    where sessions.id = locked.id and locked.meant and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds({ ...VALUES, ...DETAILS, cause: ':cause' })}
  select (select count(*) from identity) as held, (select count(*) from allowed) as allowed, ended.id
  from (values (true)) one (row) left join ended on true order by ended.id`,
)

/** By its id, by an operator. */
export const REVOKE_KNOWN = sql(
  'session.revoke_known',
  `with target as (
    select id from sessions where id = :id and nid = :nid
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds({ ...VALUES, cause: "'revoked_by_admin'" })}
  select (select count(*) from target) as known, (select count(*) from ended) as ended`,
)

/**
 * Only sessions that were still live end here; the others have ended before. Where Kratos shares the table, a refresh login
 * there inserts the row of a deleted session again, so the tombstone is needed here too.
 */
export const DELETE_ALL_OF = sql(
  'session.delete_all_of_identity',
  `with ${lockIdentity(':identity_id', ':nid')}, target as (
    select id from sessions where identity_id = (select id from identity) and nid = :nid order by id for update
  ), gone as (
    delete from sessions using target where sessions.id = target.id
    returning sessions.id, sessions.identity_id, sessions.active
  ), ended as (
    select gone.id, gone.identity_id from gone where gone.active
  ), ${recordEnds({ ...VALUES, cause: "'revoked_by_admin'" })}
  select (select count(*) from identity) as held, (select count(*) from gone) as known, (select count(*) from ended) as ended`,
)

const OF_IDENTITY = `target as (
    select s.id, s.identity_id from sessions s
    where s.identity_id = :identity_id and s.nid = :nid and ${live('s', ':now')}
    order by s.id for update
  )`

/**
 * The identity is disabled: the rows stay as they are, since its state alone decides; only events are written. A
 * session whose end is recorded already gets no second event.
 */
export const SUSPEND = sql(
  'session.suspend_all_of_identity',
  `with ${OF_IDENTITY}
  insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
  select gen_random_uuid(), 'session.ended', 'identity_disabled', target.id, target.identity_id, :nid, :now from target
  on conflict do nothing
  returning session_id`,
)

/** Reverses the recorded ends of sessions that have not ended meanwhile, with an event each. */
export const RESUME = sql(
  'session.resume_all_of_identity',
  `with ${OF_IDENTITY}, taken_back as (
    update lethe.events e set resumed = true from target
    where e.session_id = target.id and e.type = 'session.ended' and e.cause = 'identity_disabled' and not e.resumed
    returning e.session_id, e.identity_id
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, created_at)
  select gen_random_uuid(), 'session.resumed', session_id, identity_id, :nid, :now from taken_back
  returning session_id`,
)

/**
 * Expired sessions end like any others: `active` becomes false, so that no late extension revives them. `:since`
 * is where the previous batch stopped, so that a backlog is read once. A locked row is left to the next batch.
 */
export const END_EXPIRED = sql(
  'gc.end_expired_sessions',
  `with target as (
    select id, expires_at from sessions
    where nid = :nid and active and expires_at <= :now and expires_at >= :since
    order by expires_at, id limit :limit for update skip locked
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds({ ...VALUES, cause: "'expired'" })}
  select (select count(*) from ended) as count, (select max(expires_at) from target) as last`,
)

/**
 * Sessions that a rule has ended: they are refused from that moment on, and their end is recorded here. Most rows are
 * skipped by the shortest limits of all schemas. `:after` is where the previous batch stopped.
 */
export const END_BY_RULE = sql(
  'gc.end_sessions_by_rule',
  `with target as (
    select s.id, ${nextEnd('s')} as at, ${endedByRule('s', ':now')} as cause from sessions s
    where s.nid = :nid and s.active and s.id > :after::uuid
      and (s.issued_at <= :absolute_before::timestamp or s.authenticated_at <= :idle_before::timestamp)
      and ${endedByRule('s', ':now')} is not null
    order by s.id limit :limit for update of s skip locked
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id, target.cause, target.at
  ), ${recordEnds({ ...VALUES, cause: 'ended.cause', data: 'jsonb_build_object(\'ended_at\', to_char(ended.at, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\'))' })}
  select ended.cause, count(*) as count, max(ended.id::text) as last from ended group by ended.cause`,
)

/** Ends the oldest sessions of an identity, so that one less than the limit is left. */
export const END_OLDEST = sql(
  'session.end_oldest_of_identity',
  `with kept as (
    select s.id, row_number() over (order by s.issued_at desc, s.id) as number from sessions s
    where s.identity_id = :identity_id and s.nid = :nid and ${live('s', ':now')}
  ), target as (
    select s.id from sessions s join kept on kept.id = s.id where kept.number >= :max
    order by s.id for update of s
  ), ended as (
    update sessions set active = false from target where sessions.id = target.id and sessions.active
    returning sessions.id, sessions.identity_id
  ), ${recordEnds({ ...VALUES, cause: "'limit'" })}
  select id from ended`,
)

/** For a decision under the lock of the identity. */
export const COUNT_LIVE = sql(
  'session.count_live_of_identity',
  `select count(*) as count from sessions s
   where s.identity_id = :identity_id and s.nid = :nid and ${live('s', ':now')}`,
)

/** Sessions that another program set active again. Their end and its event were written before. */
export const END_REVIVED = sql(
  'gc.end_revived_sessions',
  `with target as (
    select s.id from lethe.tombstones x join sessions s on s.id = x.session_id
    where x.ended_at >= :since and s.nid = :nid and s.active order by s.id limit :limit for update of s skip locked
  )
  update sessions set active = false from target where sessions.id = target.id returning sessions.id`,
)
