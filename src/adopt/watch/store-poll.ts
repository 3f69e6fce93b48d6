import type { Timestamp } from '../../kernel/base/clock.ts'
import { type Db, type Queryable, sql } from '../../kernel/db/client.ts'
import { onOneNode } from '../../kernel/db/one-node.ts'
import { recordEnds } from '../../sessions/lifecycle.ts'

/** Sessions that were alive at the last comparison with the table of Kratos. */
export const CREATE_WATCHED = `create table if not exists lethe.watched (
  session_id uuid primary key,
  identity_id uuid not null,
  nid uuid not null,
  expires_at timestamp not null,
  asleep boolean not null default false
) with (fillfactor = 90)`
export const DROP_WATCHED = 'drop table if exists lethe.watched'

const NOW = `(clock_timestamp() at time zone 'utc')`
/** Kratos sets the time of a row by its own clock, before it commits. */
const OVERLAP = `interval '10 minutes'`

/** Sessions that exist at the start began earlier: their beginning is no event. */
export const FILL_WATCHED = `insert into lethe.watched (session_id, identity_id, nid, expires_at, asleep)
  select s.id, s.identity_id, s.nid, s.expires_at, i.state <> 'active' from sessions s join identities i on i.id = s.identity_id
  where s.active and s.expires_at > ${NOW} and s.nid is not null on conflict do nothing`

/** Scalars, not joins: see ./triggers.ts */
const seen = (from: string, condition: string) =>
  `(select true from ${from} x where x.session_id = s.id and ${condition} limit 1)`

/** Also those that have ended meanwhile: the next statement records their end, after their beginning. */
const NOTE_NEW = sql(
  'watch.note_new',
  `with note as (
    select greatest((m.value ->> 'since')::timestamptz, (m.value ->> 'looked_at')::timestamptz - ${OVERLAP}) at time zone 'utc' as since
    from lethe.meta m where m.key = 'watch' and m.value ->> 'kind' = 'poll'
  ), fresh as materialized (
    select s.id, s.identity_id, s.expires_at, ${seen('lethe.events', `(x.type <> 'session.ended' or x.resumed)`)} is null as untold
    from note, sessions s
    where s.nid = $1 and s.created_at > note.since and ${seen('lethe.watched', 'true')} is null
      and ${seen('lethe.events', `x.type = 'session.ended' and not x.resumed`)} is null
  ), watched as (
    insert into lethe.watched (session_id, identity_id, nid, expires_at)
    select fresh.id, fresh.identity_id, $1, fresh.expires_at from fresh on conflict do nothing
  ), event as (
    insert into lethe.events (id, type, session_id, identity_id, nid, created_at)
    select gen_random_uuid(), 'session.created', fresh.id, fresh.identity_id, $1, ${NOW} from fresh where fresh.untold
  )
  update lethe.meta set value = value || jsonb_build_object('looked_at', $2::text) from note where key = 'watch'`,
)

/** One page of sessions that were alive, in the order of ids. Expired ones are left to the collector, which records them. */
const JUDGED = `page as (
    select w.session_id, w.identity_id, w.expires_at, w.asleep from lethe.watched w
    where w.nid = $1 and w.session_id > $2 order by w.session_id limit $3
  ), judged as (
    select p.session_id, p.identity_id, p.asleep, coalesce(s.expires_at, p.expires_at) as expires_at,
      s.active is true as active, i.state
    from page p left join sessions s on s.id = p.session_id left join identities i on i.id = p.identity_id
  )`

const TELL_ENDS = sql(
  'watch.tell_ends',
  `with ${JUDGED}, ended as (
    select j.session_id as id, j.identity_id, case when j.state is null then 'identity_deleted'
      when j.expires_at <= ${NOW} then 'expired' else 'ended_elsewhere' end as cause
    from judged j where not j.active
  ), ${recordEnds({ cause: 'ended.cause', now: NOW, nid: '$1', shared: 'true' })}, forgotten as (
    delete from lethe.watched w using ended where w.session_id = ended.id
  ), disabled as (
    update lethe.watched w set asleep = true from judged j
    where w.session_id = j.session_id and j.active and j.state <> 'active' and not j.asleep and j.expires_at > ${NOW}
    returning w.session_id, w.identity_id
  ), told as (
    insert into lethe.events (id, type, cause, session_id, identity_id, nid, created_at)
    select gen_random_uuid(), 'session.ended', 'identity_disabled', d.session_id, d.identity_id, $1, ${NOW} from disabled d
    on conflict do nothing
  )
  select (select count(*) from page) as count, (select p.session_id from page p order by p.session_id desc limit 1) as last`,
)

const TELL_RESUMED = sql(
  'watch.tell_resumed',
  `with ${JUDGED}, awake as (
    update lethe.watched w set asleep = false from judged j
    where w.session_id = j.session_id and j.active and j.state = 'active' and j.asleep
    returning w.session_id
  ), taken_back as (
    update lethe.events e set resumed = true from awake
    where e.session_id = awake.session_id and e.type = 'session.ended' and e.cause = 'identity_disabled' and not e.resumed
    returning e.session_id, e.identity_id
  )
  insert into lethe.events (id, type, session_id, identity_id, nid, created_at)
  select gen_random_uuid(), 'session.resumed', session_id, identity_id, $1, ${NOW} from taken_back`,
)

const IS_POLLED = sql(
  'watch.is_polled',
  `select from lethe.meta m where m.key = 'watch' and m.value ->> 'kind' = 'poll'`,
)
const TRY_LOCK = sql('watch.try_lock', 'select pg_try_advisory_xact_lock(465558595688) as mine')
/** Some 20 ms. */
export const PAGE = 5000
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

export const isPolled = async (db: Queryable): Promise<boolean> => (await db.query(IS_POLLED)).length > 0

/** @returns undefined: another node has it */
export const alone = <T>(db: Db, work: () => Promise<T>): Promise<T | undefined> => onOneNode(db, TRY_LOCK, work)

/** Compares once, page by page. @param now when the comparison begins */
export async function compare(db: Db, nid: string, now: Timestamp, pageSize: number): Promise<void> {
  await db.query(NOTE_NEW, [nid, now])
  for (let after: string | null = FIRST_ID; after !== null; ) {
    const page: readonly unknown[] = [nid, after, pageSize]
    const [row] = await db.query<{ count: number; last: string | null }>(TELL_ENDS, page)
    await db.query(TELL_RESUMED, page)
    after = row!.count < pageSize ? null : row!.last
  }
}
